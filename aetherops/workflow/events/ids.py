"""UUIDs of version 7, which sort by the time they were made (RFC 9562, section 5.7)."""

from __future__ import annotations

import os
import time
from uuid import UUID

__all__ = ["uuid7"]

_MILLISECOND_NS = 1_000_000
_VERSION_7 = 7 << 76
_VARIANT = 0b10 << 62
_RANDOM_BITS = (1 << 62) - 1


def uuid7(unix_ns: int | None = None) -> UUID:
    """A new identifier: 48 bits of milliseconds, 12 of their fraction, 62 of chance.

    Nothing is remembered between two calls, so threads and forked processes may call it freely.

    Parameters
    ----------
    unix_ns : nanoseconds since 1970-01-01T00:00:00Z; now where not given.
    """
    milliseconds, rest_ns = divmod(time.time_ns() if unix_ns is None else unix_ns, _MILLISECOND_NS)
    fraction = (rest_ns << 12) // _MILLISECOND_NS
    chance = int.from_bytes(os.urandom(8)) & _RANDOM_BITS
    return UUID(int=milliseconds << 80 | _VERSION_7 | fraction << 64 | _VARIANT | chance)
