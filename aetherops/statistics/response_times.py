"""Response times of one service, all kept."""

from __future__ import annotations

import math

from aetherops.errors import InvalidInputError
from aetherops.statistics.averages import mean
from aetherops.statistics.order import percentile

__all__ = ["ResponseTimeTracker"]


class ResponseTimeTracker:
    """Keeps every recorded time, so that percentiles are exact; for a script's lifetime.

    Recording is safe from several threads; an answer counts what was recorded before it.
    """

    def __init__(self) -> None:
        self._times_ms: list[float] = []

    def record(self, ms: float) -> None:
        """Add one response time in milliseconds.

        Raises
        ------
        InvalidInputError
            `ms` is NaN.
        """
        if math.isnan(ms):
            raise InvalidInputError("ms", ms, "a time in milliseconds")
        self._times_ms.append(ms)

    def p50(self) -> float:
        """The 50th percentile in ms, as `percentile`; 0.0 where nothing was recorded."""
        return percentile(self._times_ms, 50)

    def p99(self) -> float:
        """The 99th percentile in ms, as `percentile`; 0.0 where nothing was recorded."""
        return percentile(self._times_ms, 99)

    def average(self) -> float:
        """The mean in ms, rounded to 4; 0.0 where nothing was recorded."""
        return mean(self._times_ms)

    def count(self) -> int:
        """How many times were recorded."""
        return len(self._times_ms)
