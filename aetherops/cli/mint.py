"""``aetherops token``: a bearer token from the key in a data directory."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from aetherops.bootstrap import issue_token
from aetherops.cli.options import settings_with
from aetherops.errors import InvalidInputError
from aetherops.identity.keys import load_or_create_key
from aetherops.identity.operators import Operator

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["mint_token"]

_LIFETIME = re.compile(r"(\d{1,9})([smhd])", re.ASCII)
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def mint_token(data_dir: Path | None, operator: str, roles: str, lifetime: str) -> str:
    """A token for an operator.

    Parameters
    ----------
    data_dir : whose key signs; the key is made where there is none.
    roles : comma-separated.
    lifetime : a whole number and a unit of s, m, h or d.
    """
    named = frozenset(role.strip() for role in roles.split(",") if role.strip())
    if not named:
        raise InvalidInputError("--roles", roles, "at least one role, such as operator")
    match = _LIFETIME.fullmatch(lifetime)
    if match is None or int(match[1]) == 0:
        raise InvalidInputError("--lifetime", lifetime, "a time such as 15m, 8h or 30d")
    key = load_or_create_key(settings_with(data_dir).data_dir / "keys")
    bearer = Operator(operator, operator, named)
    return issue_token(key, int(match[1]) * _SECONDS[match[2]], bearer)
