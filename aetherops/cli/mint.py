"""``aetherops token``: a bearer token from the key in a data directory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aetherops.bootstrap import issue_token
from aetherops.cli.options import settings_with
from aetherops.errors import InvalidInputError
from aetherops.identity.keys import SigningKey, load_key
from aetherops.identity.operators import Operator

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["mint_token"]

_LIFETIME = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_MOST_S = 3_660 * 86_400
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def mint_token(data_dir: Path | None, operator: str, roles: str, lifetime: str) -> str:
    """A token for an operator.

    Parameters
    ----------
    data_dir : whose key signs; `aetherops up` makes it.
    roles : comma-separated.
    lifetime : a whole number and a unit of s, m, h or d.

    Raises
    ------
    InvalidInputError
        An option holds what it cannot be, or the directory no instance.
    """
    named = frozenset(role.strip() for role in roles.split(",") if role.strip())
    if not named:
        raise InvalidInputError("--roles", roles, "at least one role, such as operator")
    match = _LIFETIME.fullmatch(lifetime)
    seconds = int(match[1]) * _SECONDS[match[2]] if match else 0
    if not 0 < seconds <= _MOST_S:
        raise InvalidInputError(
            "--lifetime", lifetime, "a time such as 15m, 8h or 30d, up to 3660d"
        )
    bearer = Operator(operator, operator, named)
    key = _key_of(settings_with(data_dir).data_dir)
    return issue_token(key, seconds, bearer)


def _key_of(data_dir: Path) -> SigningKey:
    """The instance's key: one made here would sign tokens that nobody accepts."""
    try:
        return load_key(data_dir / "keys")
    except (FileNotFoundError, NotADirectoryError):
        expected = "the directory of an instance: `aetherops up` was never run on it"
        raise InvalidInputError("--data-dir", str(data_dir), expected) from None
