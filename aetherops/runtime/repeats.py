"""What happens again and again, told less and less often."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

__all__ = ["Repeats"]

_QUIET_S = 600.0
_MOST_KEYS = 1_000


class Repeats:
    """Counts how often each thing has happened, and says when to tell of it.

    It is told the first time and at each doubling of the count: an outage of any length is a
    handful of lines, each of which says how often by then.

    Parameters
    ----------
    quiet_s : what has not happened for so long is told as the first time again.
    clock_s : seconds that only grow.
    """

    def __init__(
        self, quiet_s: float = _QUIET_S, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._quiet_s = quiet_s
        self._clock_s = clock_s
        self._counts: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()

    def count(self, key: Hashable) -> int:
        """Note that it has happened; how often by now."""
        now_s = self._clock_s()
        count, last_s = self._counts.pop(key, (0, now_s))
        count = 1 if now_s - last_s >= self._quiet_s else count + 1
        self._counts[key] = count, now_s
        if len(self._counts) > _MOST_KEYS:
            self._counts.popitem(last=False)
        return count

    def forget(self, key: Hashable) -> int:
        """It is over, and the next one is the first again; how often it had happened."""
        return self._counts.pop(key, (0, 0.0))[0]

    @staticmethod
    def is_told(count: int) -> bool:
        """Whether to tell of the count-th time."""
        return count & (count - 1) == 0
