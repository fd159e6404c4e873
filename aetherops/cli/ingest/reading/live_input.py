"""Bytes of a pipe or terminal as they come, however slowly."""

from __future__ import annotations

import os
import select
import time

__all__ = ["LiveInput"]

_POLL_S = 0.1
_PIECE_BYTES = 64 * 1024


class LiveInput:
    """Reads what a writer gives within a second, rather than until a buffer is full.

    It has `ended` when its writer has closed it, or when it was `stopped`.

    Parameters
    ----------
    descriptor : of the open file; it stays open.
    patience_s : from the first byte of a reading to its end.
    """

    def __init__(self, descriptor: int, patience_s: float = 1.0) -> None:
        self.ended = False
        self.stopped = False
        self._descriptor = descriptor
        self._patience_s = patience_s

    def stop(self) -> None:
        """End the input for a reader that waits in another thread."""
        self.ended = self.stopped = True

    def read(self, size: int) -> bytes:
        """At most so many bytes: at least one, unless the input has ended."""
        parts: list[bytes] = []
        length, until = 0, float("inf")
        while length < size and not self.ended:
            now = time.monotonic()
            if now >= until:
                break
            ready, _, _ = select.select([self._descriptor], [], [], min(_POLL_S, until - now))
            if not ready:
                continue
            part = os.read(self._descriptor, min(_PIECE_BYTES, size - length))
            self.ended |= not part
            parts.append(part)
            length += len(part)
            until = min(until, now + self._patience_s)
        return b"".join(parts)
