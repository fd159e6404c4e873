"""A mutual exclusion that costs less than a lock where nobody waits.

A gate is a list with one token. ``gate.pop()`` takes it and ``gate.append(token)`` puts it back;
both are single steps, atomic between threads, at a fourth of the cost of a ``threading.Lock``,
which would be a third of a whole decision. The token is the latest instant that was seen inside.
Who finds the gate empty calls ``wait_at``.
"""

from __future__ import annotations

import time

__all__ = ["Gate", "wait_at"]

Gate = list[int]


def wait_at(gate: Gate) -> int:
    """Take the token as soon as its holder, a few microseconds from done, has put it back."""
    while True:
        time.sleep(0)
        try:
            return gate.pop()
        except IndexError:
            continue
