"""Which instance a command talks to, and with which token."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Connection", "find_connection"]


@dataclass(frozen=True, slots=True)
class Connection:
    """Address of an instance and the token to show it."""

    url: str
    token: str = field(repr=False)


def find_connection(data_dir: Path | None, url: str | None, token: str | None) -> Connection:
    """The instance that was named, else the one that runs in the data directory.

    Parameters
    ----------
    data_dir : of a local instance, whose address and token its instance file holds.
    url, token : of an instance anywhere; a token may also replace the local one.

    Raises
    ------
    InvalidInputError
        Both a directory and an address are given, or the address comes without a token.
    NotRunningError
        Nothing runs in the directory.
    """
    if url is not None:
        if data_dir is not None:
            raise InvalidInputError("--url", url, "one of --data-dir and --url")
        if not token:
            raise InvalidInputError("--token", "nothing", "a token beside --url")
        return Connection(_checked_url(url), _checked_token(token))
    from aetherops.cli.options import settings_with
    from aetherops.runtime.data_dir.instance import read_instance

    instance = read_instance(settings_with(data_dir).data_dir)
    return Connection(_checked_url(instance.url), _checked_token(token or instance.token))


def _checked_url(url: str) -> str:
    try:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and parts.hostname and parts.port != 0:
            return url.rstrip("/")
    except ValueError:  # no port
        pass
    raise InvalidInputError("--url", url, "an address such as http://127.0.0.1:8080")


def _checked_token(token: str) -> str:
    """The token, if a header can carry it; an error does not show it."""
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InvalidInputError("--token", "another text", "ASCII without spaces")
    return token
