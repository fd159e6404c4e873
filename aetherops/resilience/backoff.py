"""How long to wait before trying again."""

from __future__ import annotations

from aetherops.errors import InvalidInputError

__all__ = ["retry_backoff"]

# 2**64 ms are 584 million years: further doublings would only make a larger integer.
_MAX_DOUBLINGS = 64


def retry_backoff(attempt: int, base_ms: int = 80, cap_ms: int = 5000) -> int:
    """Milliseconds to wait before a retry: doubling from a base, up to a cap.

    Parameters
    ----------
    attempt : number of the retry. 1 (and less) waits `base_ms`, each further one twice as long.
    base_ms, cap_ms : first and longest wait, 0 or more; a base above the cap waits the cap.

    Raises
    ------
    InvalidInputError
        `base_ms` or `cap_ms` is negative.
    """
    for field, wait_ms in (("base_ms", base_ms), ("cap_ms", cap_ms)):
        if wait_ms < 0:
            raise InvalidInputError(field, wait_ms, "0 or more milliseconds")
    doublings = min(max(attempt - 1, 0), _MAX_DOUBLINGS)
    return int(min(base_ms * 2**doublings, cap_ms))
