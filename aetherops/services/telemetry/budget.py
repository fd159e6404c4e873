"""What one request may cost the store and the network, over all its questions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.errors import LimitExceededError

if TYPE_CHECKING:
    from aetherops.services.metering import Meter

__all__ = ["QueryBudget"]

# A request costs one unit, about a millisecond of a core; so does reading so many samples.
_SAMPLES_A_UNIT = 10_000
_SUGGESTED_BUCKETS = 1000


class QueryBudget:
    """Counts the samples asked about and the points returned by one request.

    Parameters
    ----------
    samples : the most that may be asked about.
    points : the most that may be in the answer.
    meter : what is paid by, one unit for every 10,000 samples.
    """

    def __init__(self, samples: int, points: int, meter: Meter) -> None:
        self._meter = meter
        self._max_samples = samples
        self._max_points = points
        self._samples = 0
        self._points = 0

    async def take_samples(self, count: int) -> None:
        """Charge a read before it is made; raises where it is one too many."""
        self._samples += count
        if self._samples > self._max_samples:
            raise LimitExceededError(
                "samples read by one query (ask for a shorter range)",
                self._max_samples,
                self._samples,
            )
        await self._meter.charge(count // _SAMPLES_A_UNIT)

    def take_points(self, count: int) -> None:
        """Charge points of the answer; the refusal says how to ask for fewer."""
        self._points += count
        if self._points > self._max_points:
            buckets = min(_SUGGESTED_BUCKETS, self._max_points)
            raise LimitExceededError(
                f"points in one answer (ask for downsample: {{buckets: {buckets}}})",
                self._max_points,
                self._points,
            )
