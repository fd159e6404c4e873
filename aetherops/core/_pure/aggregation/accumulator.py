# Twin: ext/aetherops/core/_native/aggregation/accumulator.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""One pass over a stream: its moments, its buckets, and what lies far from the mean."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from math import inf, isfinite, sqrt

from aetherops.core._pure.aggregation.anomalies import cutoffs, find_anomalies
from aetherops.core._pure.aggregation.buckets import Buckets
from aetherops.core._pure.aggregation.floats import (
    as_double,
    check_nan_policy,
    float_strips,
    nan_refused,
)
from aetherops.core._pure.aggregation.moments import BlockMoments
from aetherops.errors import InvalidInputError

__all__ = ["Accumulator"]

_SMALL = 512
_MAX_BUCKETINGS = 16
# Stands in for the deviation of values that are all the same.
_LEAST_STD = 0.001


class Accumulator:
    """What ``StreamingAggregator`` does a value at a time."""

    def __init__(
        self,
        buckets: Sequence[Buckets],
        *,
        nan_policy: str,
        retains: bool = False,
        suspect_beyond: float | None = None,
        threshold: float | None = None,
        warmup: int = 2,
    ) -> None:
        if len(buckets) > _MAX_BUCKETINGS:
            raise InvalidInputError("factors", len(buckets), f"at most {_MAX_BUCKETINGS}")
        self._nan_policy = check_nan_policy(nan_policy)
        self._moments = BlockMoments(nan_policy=nan_policy)
        self._buckets = tuple(buckets)
        self._retains = retains
        self._suspect_beyond = None if suspect_beyond is None else as_double(suspect_beyond)
        self._threshold = None if threshold is None else as_double(threshold)
        self._warmup = max(2, warmup)
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self._moments.reset()
        for buckets in self._buckets:
            buckets.reset()
        self._judge = 0, 0.0, 0.0
        self._found = array("q")
        self._n_before = 0
        self._window = array("d")
        self._suspects: list[tuple[int, float]] = []
        self._low, self._high = inf, -inf  # the widest limits that were used
        self._gathered: list[float] = []

    def push(self, x: float) -> bool:
        """Take one value; whether it was judged to lie far from those before it (online mode)."""
        x = as_double(x)
        if x != x and self._nan_policy == "raise":
            raise nan_refused("x")
        self._gathered.append(x)
        far = self._threshold is not None and self._judge_next(x)
        if far:
            self._found.append(self.n_seen - 1)
        if len(self._gathered) == _SMALL:
            self._flush()
        return far

    def push_many(self, values: Iterable[float]) -> int:
        """Take values; how many were judged to lie far from those before them (online mode).

        Values before one that is refused have been taken, as in a loop of ``push``.
        """
        n_found = len(self._found)
        index = 0
        for strip in float_strips(values):
            self._feed(strip, index)
            index += len(strip)
        return len(self._found) - n_found

    def _feed(self, x: list[float], index: int) -> None:
        """Take values, the first of which is values[index] of the caller's."""
        accepted = len(x)
        if self._nan_policy == "raise":
            accepted = next((i for i, v in enumerate(x) if v != v), accepted)
        kept = x[:accepted]
        if self._threshold is not None:
            base = self.n_seen
            self._found.extend(i for i, v in enumerate(kept, base) if self._judge_next(v))
        self._flush()
        self._take(kept)
        if accepted < len(x):
            raise nan_refused(f"values[{index + accepted}]")

    def _judge_next(self, x: float) -> bool:
        """Whether x lies far from the values before it; then Welford's step (1962) takes it in.

        Only numbers at a finite distance are learnt from.
        """
        n, mean, m2 = self._judge
        d = x - mean
        far = False
        if n >= self._warmup and self._threshold is not None:
            std = sqrt(m2 / float(n - 1))
            far = abs(d) / (std if std != 0.0 else _LEAST_STD) > self._threshold
        if isfinite(d):
            n += 1
            mean += d / float(n)
            m2 += d * (x - mean)
            self._judge = n, mean, m2
        return far

    def _flush(self) -> None:
        """Let what was gathered through."""
        if self._gathered:
            gathered, self._gathered = self._gathered, []
            self._take(gathered)

    def _take(self, x: list[float]) -> None:
        self._n_before += len(x)
        if self._retains:
            self._window.extend(x)
        self._moments._feed(x, 0)
        if self._suspect_beyond is not None:
            self._suspect(x, self._suspect_beyond)
        for buckets in self._buckets:
            buckets._take(x)

    def _suspect(self, x: list[float], threshold: float) -> None:
        """Note which values lie beyond 15/16 of the threshold so far.

        The others were surely near the mean when they passed, and need not be read again where the
        final cut-offs are wider than the widest limits used.
        """
        so_far = self._moments._folded if self._moments._folded.count else self._moments._totals()
        reach = threshold * sqrt(so_far.m2 / max(so_far.count, 1)) * 0.9375
        low, high = so_far.mean - reach, so_far.mean + reach
        if not low <= high:
            low, high = inf, -inf
            self._low, self._high = -inf, inf
        self._low, self._high = min(self._low, low), max(self._high, high)
        base = self._n_before - len(x)
        self._suspects += [(i, v) for i, v in enumerate(x, base) if v < low or v > high]

    def parts(self) -> tuple[BlockMoments, tuple[Buckets, ...]]:
        """The moments and the buckets of all values so far; not copies."""
        self._flush()
        return self._moments, self._buckets

    @property
    def n_seen(self) -> int:
        """How many values were taken, NaN included."""
        return self._n_before + len(self._gathered)

    def find_far(
        self, mean: float, std: float, threshold: float, values: Iterable[float] = ()
    ) -> array[int]:
        """Indices of the values with ``abs(x - mean) / std > threshold``.

        Where they are not retained, ``values`` are all that were pushed; they are read again where
        those that were suspected as they passed (``suspect_beyond``) do not suffice.
        """
        self._flush()
        if self._suspect_beyond is not None and not self._retains:
            low, high = cutoffs(mean, std, threshold, inclusive=False)
            if low <= self._low and self._high <= high:
                return array("q", (i for i, v in self._suspects if v < low or v > high))
        return find_anomalies(self._window if self._retains else values, mean, std, threshold)

    def take_found(self) -> array[int]:
        """Indices of the values that ``push`` judged, which are then forgotten."""
        found, self._found = self._found, array("q")
        return found

    def retained(self) -> array[float]:
        """A copy of the retained values."""
        self._flush()
        return self._window[:]

    def state(self) -> tuple[int, array[float], tuple[int, float, float], array[int]]:
        """What is not in ``parts``: values seen, values retained, the judge, what it found."""
        self._flush()
        return self.n_seen, self.retained(), self._judge, self._found[:]

    def restore(
        self,
        n_seen: int,
        retained: Iterable[float],
        judge: tuple[int, float, float],
        found: Iterable[int],
    ) -> None:
        """Become what ``state`` told; the parts are restored on their own."""
        self._flush()
        self._window = array("d", retained if self._retains else ())
        self._n_before = n_seen
        self._judge = judge
        self._found = array("q", found)
