# Twin: ext/aetherops/core/_native/aggregation/accumulator.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""One pass over a stream: its moments, its buckets, and what lies far from the mean."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from math import inf, isfinite, sqrt
from typing import TypeAlias

from aetherops.core._pure.aggregation.anomalies import cutoffs, find_anomalies
from aetherops.core._pure.aggregation.buckets import Buckets
from aetherops.core._pure.aggregation.floats import as_double, float_chunks
from aetherops.core._pure.aggregation.moments import BlockMoments
from aetherops.core.aggregation_input import (
    MAX_EXACT_COUNT,
    MIN_STD,
    check_nan_policy,
    checked_int,
    checked_state,
    count_refused,
    nan_refused,
)
from aetherops.errors import InvalidInputError

__all__ = [
    "Accumulator",
    "AccumulatorState",
    "accumulator_state",
    "anomalies_of",
    "parts_of",
    "restore_accumulator",
    "take_anomalies",
]

#: Values seen, values retained, the detector (count, mean and squares about it of what it has
#: learnt from), indices of what it found.
AccumulatorState: TypeAlias = tuple[int, "array[float]", tuple[int, float, float], "array[int]"]

_SMALL = 512
_MAX_BUCKETINGS = 16


class Accumulator:
    """What ``StreamingAggregator`` does a value at a time."""

    def __init__(
        self,
        buckets: Sequence[Buckets],
        *,
        nan_policy: str,
        retains: bool = False,
        candidate_threshold: float | None = None,
        threshold: float | None = None,
        warmup: int = 2,
    ) -> None:
        self._threshold = None if threshold is None else as_double(threshold)
        self._candidate_threshold = None
        if candidate_threshold is not None:
            self._candidate_threshold = as_double(candidate_threshold)
        self._buckets = _checked_buckets(buckets)
        self._warmup = max(2, checked_int("warmup", warmup, 0))
        self._nan_policy = check_nan_policy(nan_policy)
        self._moments = BlockMoments(nan_policy=nan_policy)
        self._retains = retains
        self._forget()

    def reset(self) -> None:
        """Forget every value."""
        self._moments.reset()
        for buckets in self._buckets:
            buckets.reset()
        self._forget()

    def _forget(self) -> None:
        self._detector = 0, 0.0, 0.0
        self._found = array("q")
        self._n_before = 0
        self._window = array("d")
        self._candidates: list[tuple[int, float]] = []
        self._low, self._high = inf, -inf  # the widest limits that were used
        self._gathered: list[float] = []

    def push(self, x: float) -> bool:
        """Take one value; whether it is anomalous beside those before it (online mode)."""
        x = as_double(x)
        if x != x and self._nan_policy == "raise":
            raise nan_refused("x")
        if self.n_seen >= MAX_EXACT_COUNT:
            raise count_refused(MAX_EXACT_COUNT + 1)
        self._gathered.append(x)
        found = self._threshold is not None and self._detect(x)
        if found:
            self._found.append(self.n_seen - 1)
        if len(self._gathered) >= _SMALL:
            self._flush()
        return found

    def push_many(self, values: Iterable[float]) -> int:
        """Take values; how many are anomalous beside those before them (online mode).

        Values before one that is refused have been taken, as in a loop of ``push``.
        """
        n_found = len(self._found)
        index = 0
        for chunk in float_chunks(values):
            self._feed(chunk, index)
            index += len(chunk)
        return len(self._found) - n_found

    def _feed(self, x: list[float], index: int) -> None:
        """Take values, the first of which is values[index] of the caller's."""
        accepted = len(x)
        if self._nan_policy == "raise":
            accepted = next((i for i, v in enumerate(x) if v != v), accepted)
        kept = x[: min(accepted, MAX_EXACT_COUNT - self.n_seen)]
        if self._threshold is not None:
            base = self.n_seen
            self._found.extend(i for i, v in enumerate(kept, base) if self._detect(v))
        self._flush()
        self._take(kept)
        if len(kept) < accepted:
            raise count_refused(MAX_EXACT_COUNT + 1)
        if accepted < len(x):
            raise nan_refused(f"values[{index + accepted}]")

    def _detect(self, x: float) -> bool:
        """Whether x is anomalous beside the values before; then Welford's step (1962) takes it in.

        Only numbers at a finite distance are learnt from.
        """
        n, mean, m2 = self._detector
        d = x - mean
        found = False
        if n >= self._warmup and self._threshold is not None:
            std = sqrt(m2 / float(n - 1))
            found = abs(d) / (std if std != 0.0 else MIN_STD) > self._threshold
        if isfinite(d):
            n += 1
            mean += d / float(n)
            m2 += d * (x - mean)
            self._detector = n, mean, m2
        return found

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
        if self._candidate_threshold is not None:
            self._note_candidates(x, self._candidate_threshold)
        for buckets in self._buckets:
            buckets._take(x)

    def _note_candidates(self, x: list[float], threshold: float) -> None:
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
        self._candidates += [(i, v) for i, v in enumerate(x, base) if v < low or v > high]

    @property
    def n_seen(self) -> int:
        """How many values were taken, NaN included."""
        return self._n_before + len(self._gathered)


def _checked_buckets(buckets: Sequence[Buckets]) -> tuple[Buckets, ...]:
    every = tuple(buckets)
    if len(every) > _MAX_BUCKETINGS:
        raise InvalidInputError("factors", len(every), f"at most {_MAX_BUCKETINGS}")
    for one in every:
        if not isinstance(one, Buckets):
            raise TypeError(f"buckets: expected Buckets, got {type(one).__name__}")
    return every


def parts_of(accumulator: Accumulator) -> tuple[BlockMoments, tuple[Buckets, ...]]:
    """The moments and the buckets of all values so far; not copies."""
    accumulator._flush()
    return accumulator._moments, accumulator._buckets


def anomalies_of(
    accumulator: Accumulator,
    mean: float,
    std: float,
    threshold: float,
    values: Iterable[float] = (),
) -> array[int]:
    """Indices of the values with ``abs(x - mean) / std > threshold``.

    Where they are not retained, ``values`` are all that were pushed; they are read again where
    those that were noted as they passed (``candidate_threshold``) do not suffice.
    """
    accumulator._flush()
    mean, std, threshold = as_double(mean), as_double(std), as_double(threshold)
    if accumulator._retains:
        return find_anomalies(accumulator._window, mean, std, threshold)
    if accumulator._candidate_threshold is not None and _count(values) == accumulator.n_seen:
        low, high = cutoffs(mean, std, threshold, inclusive=False)
        if low <= accumulator._low and accumulator._high <= high:
            found = [i for i, v in accumulator._candidates if v < low or v > high]
            return array("q", found)
    return find_anomalies(values, mean, std, threshold)


def _count(values: Iterable[float]) -> int:
    return len(values) if isinstance(values, Sequence | array | memoryview) else -1


def take_anomalies(accumulator: Accumulator) -> array[int]:
    """Indices of the anomalous values found online, which are then forgotten."""
    found, accumulator._found = accumulator._found, array("q")
    return found


def accumulator_state(accumulator: Accumulator) -> AccumulatorState:
    """What is not in its parts: values seen, values retained, the detector, what it found.

    The detector is the count, the mean and the squares about it of what it has learnt from.
    """
    accumulator._flush()
    retained, found = accumulator._window[:], accumulator._found[:]
    return accumulator.n_seen, retained, accumulator._detector, found


def restore_accumulator(accumulator: Accumulator, state: AccumulatorState) -> None:
    """Make an accumulator what ``accumulator_state`` told; its parts are restored on their own.

    Raises
    ------
    InvalidInputError
        Fewer values were seen than are retained or counted, or a number is out of range.
    """
    seen, retained, detector, indices = checked_state(state, 4)
    window, found = array("d", retained), array("q", indices)
    n, mean, m2 = checked_state(detector, 3)
    mean, m2 = as_double(mean), as_double(m2)
    window = window if accumulator._retains else array("d")
    accumulator._flush()
    n_seen = checked_int("n_seen", seen, max(len(window), accumulator._moments.count))
    learnt = checked_int("detector", n, 0)
    if m2 < 0.0:
        raise InvalidInputError("detector", m2, "squares of 0 or more")
    accumulator._window, accumulator._n_before = window, n_seen
    accumulator._detector, accumulator._found = (learnt, mean, m2), found
    accumulator._low, accumulator._high = -inf, inf  # what was noted no longer suffices
