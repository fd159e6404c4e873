"""Where the three servers are: the addresses that the rest of the platform connects to."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Endpoints", "without_secrets"]

# Greedy up to the last "@": a password that itself holds an "@" or a "/" is hidden whole.
_USER_INFO = re.compile(r"//\S*@")
_SECRET_PARAMETER = re.compile(r"((?:password|token|passfile)=)[^&\s]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class Endpoints:
    """Addresses of PostgreSQL, Redis or Valkey, and NATS, with their credentials.

    Its ``repr`` shows no credential, so that it may stand in a log line.

    Parameters
    ----------
    postgres_owner_dsn : as the role that owns the tables, of the server that is ours; yours has
        it only while it is migrated.
    """

    postgres_dsn: str
    redis_url: str
    nats_url: str
    postgres_owner_dsn: str | None = None

    def __repr__(self) -> str:
        addresses = (
            f"{name}={without_secrets(address)!r}"
            for name in self.__dataclass_fields__
            if (address := getattr(self, name)) is not None
        )
        return f"Endpoints({', '.join(addresses)})"


def without_secrets(url: str) -> str:
    """The address in a URL or DSN, its user, password and token replaced by ``***``."""
    return _SECRET_PARAMETER.sub(r"\1***", _USER_INFO.sub("//***@", url))
