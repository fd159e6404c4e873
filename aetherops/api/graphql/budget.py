"""What one request may cost the store and the network, over all its fields."""

from __future__ import annotations

from aetherops.errors import LimitExceededError

__all__ = ["QueryBudget"]

_SUGGESTED_BUCKETS = 1000


class QueryBudget:
    """Counts down the samples read and the points returned by one request.

    Parameters
    ----------
    samples : the most that may be read from the store.
    points : the most that may be in the answer.
    """

    def __init__(self, samples: int, points: int) -> None:
        self._max_samples = samples
        self._max_points = points
        self._samples = 0
        self._points = 0

    def take_samples(self, count: int) -> None:
        """Charge a read; raises `LimitExceededError` where it is one too many."""
        self._samples += count
        if self._samples > self._max_samples:
            raise LimitExceededError(
                "samples read by one query (ask for a shorter range)",
                self._max_samples,
                self._samples,
            )

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
