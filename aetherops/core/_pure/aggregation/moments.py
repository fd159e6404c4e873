# Twin: ext/aetherops/core/_native/aggregation/moments.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Count, mean, squares about it, extremes and ends of a stream, in one pass.

Values are taken in blocks of 512. A block's mean and squares are found in sixteen partial sums by
the corrected two-pass algorithm; blocks are merged by the formula of Chan, Golub and LeVeque
(1983), which for a block of one value is Welford's step (1962). The block that is filling is kept
as it is, so that any cut of the input gives the same bits.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from math import inf, isfinite, nan, sqrt
from operator import add
from typing import NamedTuple, TypeAlias

from aetherops.core._pure.aggregation.floats import as_double, float_chunks
from aetherops.core.aggregation_input import (
    MAX_EXACT_COUNT,
    check_nan_policy,
    checked_int,
    checked_state,
    count_refused,
    nan_refused,
)
from aetherops.errors import InvalidInputError

__all__ = [
    "BLOCK",
    "BlockMoments",
    "MomentsState",
    "Totals",
    "finish_moments",
    "merge_totals",
    "moments_state",
    "restore_moments",
    "take_all",
    "take_block",
    "two_sum",
]

#: Count, mean, its low part, m2, min, max, first and last of the whole blocks; the filling one.
MomentsState: TypeAlias = tuple[int, float, float, float, float, float, float, float, bytes]

BLOCK = 512
_LAST = BLOCK - 1
_NEARLY_FULL = MAX_EXACT_COUNT - BLOCK
PARTIALS = 16
_SPLITTABLE = 1e290  # from here on a distance would overflow where it is halved


class Totals(NamedTuple):
    count: int  # type: ignore[assignment]  # of values, not of equal fields
    mean: float  # with mean_low the mean, as an unevaluated sum
    mean_low: float
    m2: float  # squares of the distances from the mean, summed
    min: float
    max: float
    first: float
    last: float


_NOTHING = Totals(0, nan, 0.0, 0.0, nan, nan, nan, nan)


def two_sum(a: float, b: float) -> tuple[float, float]:
    """a + b as the rounded sum and what the rounding lost (Knuth)."""
    s = a + b
    z = s - a
    return s, (a - (s - z)) + (b - z)


def _halves(x: float) -> tuple[float, float]:
    """x as a sum of two doubles of half its digits (Dekker, 1971)."""
    c = 134217729.0 * x  # 2^27 + 1
    high = c - (c - x)
    return high, x - high


def _missing_of_step(high: float, low: float, n_b: float, n: float, step: float) -> float:
    """What (high + low) * n_b has more than step * n.

    Half the digits times a count below 2^27 is an exact product.
    """
    if not abs(high) < _SPLITTABLE:
        return 0.0
    distance = _halves(high)
    taken = _halves(step)
    missing = (distance[0] * n_b - taken[0] * n) + (distance[1] * n_b - taken[1] * n)
    return missing + low * n_b


def merge_totals(a: Totals, b: Totals) -> Totals:
    """Chan, Golub and LeVeque's update, with the mean kept in two doubles."""
    if b.count == 0:
        return a
    if a.count == 0:
        return b
    n_a = float(a.count)
    n_b = float(b.count)
    n = n_a + n_b
    high, low = two_sum(b.mean, -a.mean)
    low += b.mean_low - a.mean_low
    delta = high + low
    if isfinite(delta):
        share = 1.0 / n
        step = high * (n_b * share)
        missing = _missing_of_step(high, low, n_b, n, step) * share
        m2 = (a.m2 + b.m2) + delta * (step + missing) * n_a
        high, low = two_sum(a.mean, step)
        mean, mean_low = two_sum(high, low + (a.mean_low + missing))
    elif isfinite(a.mean) and isfinite(b.mean):
        # The distance overflows, the mean between them does not.
        mean = a.mean * (n_a / n) + b.mean * (n_b / n)
        mean_low = 0.0
        m2 = inf
    else:
        mean = a.mean + b.mean
        mean_low = 0.0
        m2 = nan
    # NaN stays: it compares false.
    return Totals(
        a.count + b.count,
        nan if mean != mean else mean,
        mean_low,
        nan if m2 != m2 else m2,
        b.min if b.min < a.min or b.min != b.min else a.min,
        b.max if b.max > a.max or b.max != b.max else a.max,
        a.first,
        b.last,
    )


def take_block(a: Totals, x: Sequence[float]) -> Totals:
    """Merge a block of 1 to 512 values."""
    mean, mean_low, m2, low, high = _block_moments(x)
    return merge_totals(a, Totals(len(x), mean, mean_low, m2, low, high, x[0], x[-1]))


def take_all(a: Totals, x: Sequence[float]) -> Totals:
    """Merge the values, the first of which opens a block."""
    for start in range(0, len(x), BLOCK):
        a = take_block(a, x[start : start + BLOCK])
    return a


def _block_moments(x: Sequence[float]) -> tuple[float, float, float, float, float]:
    """The corrected two-pass algorithm: mean, its low part, m2, smallest and largest.

    The first pass finds the mean up to its rounding, the second the squares about it and what is
    missing from it, which corrects both.
    """
    sums = []
    low = high = x[0]
    for first in range(PARTIALS):
        total = 0.0
        for v in x[first::PARTIALS]:
            total += v
            if v < low:
                low = v
            elif v > high:
                high = v
        sums.append(total)
    centre = _block_centre(x, _total_of(sums))
    if not abs(centre) < inf:
        return _hard_block(x)
    rests = []
    squares = []
    for first in range(PARTIALS):
        rest = square = 0.0
        for v in x[first::PARTIALS]:
            d = v - centre
            rest += d
            square += d * d
        rests.append(rest)
        squares.append(square)
    return _corrected(len(x), centre, _total_of(rests), _total_of(squares), low + 0.0, high + 0.0)


def _total_of(partials: list[float]) -> float:
    """Partial sums are combined in halves: 0 with 8, 1 with 9 ...; then 0 with 4 ..."""
    while len(partials) > 1:
        half = len(partials) // 2
        partials = list(map(add, partials[:half], partials[half:]))
    return partials[0]


def _block_centre(x: Sequence[float], total: float) -> float:
    """The mean of a block up to rounding; not finite where it holds NaN or an infinity."""
    if abs(total) < inf:
        return total / float(len(x))
    scaled = 0.0
    for v in x:
        scaled += v * 2.0**-12  # 512 values at most: finite ones cannot overflow any more
    return scaled / float(len(x)) * 4096.0


def _hard_block(x: Sequence[float]) -> tuple[float, float, float, float, float]:
    """A block with NaN or infinities."""
    if any(v != v for v in x):
        return nan, 0.0, nan, nan, nan
    low, high = min(x) + 0.0, max(x) + 0.0
    if low == -inf and high == inf:
        return nan, 0.0, nan, low, high
    return low if low == -inf else high, 0.0, nan, low, high


def _corrected(
    n: int, centre: float, rest: float, squares: float, low: float, high: float
) -> tuple[float, float, float, float, float]:
    """From the sums of the distances from the centre and of their squares to the moments."""
    if not squares < inf:
        return centre, 0.0, inf, low, high
    missing = rest / float(n)
    if abs(missing) <= 2.0**-52 * (high - low):
        missing = 0.0  # the distances were themselves rounded: so little is noise
    m2 = squares - float(n) * (missing * missing)
    mean, mean_low = two_sum(centre, missing)
    return mean, mean_low, m2 if m2 > 0.0 else 0.0, low, high


class BlockMoments:
    """The part of ``Moments`` that has two implementations."""

    __slots__ = ("__weakref__", "_filling", "_folded", "_policy")

    _policy: str
    _folded: Totals
    _filling: list[float]

    def __init__(self, values: Iterable[float] = (), *, nan_policy: str = "propagate") -> None:
        self._policy = check_nan_policy(nan_policy)
        self.reset()
        self.push_many(values)

    def push(self, x: float) -> None:
        """Take one value."""
        x = as_double(x)
        if x != x and self._policy != "propagate":
            if self._policy == "raise":
                raise nan_refused("x")
            return
        if len(self._filling) < _LAST and self._folded.count < _NEARLY_FULL:
            self._filling.append(x)
        else:
            self._append([x])

    def push_many(self, values: Iterable[float]) -> None:
        """Take values from an iterable or a buffer of float64, which is not copied.

        Values before one that is refused have been taken, as in a loop of ``push``.
        """
        index = 0
        for chunk in float_chunks(values):
            self._feed(chunk, index)
            index += len(chunk)

    def _feed(self, x: list[float], index: int) -> None:
        """Take values, the first of which is values[index] of the caller's."""
        if self._policy == "propagate" or not any(v != v for v in x):
            self._append(x)
            return
        kept = []
        for i, v in enumerate(x):
            if v == v:
                kept.append(v)
            elif self._policy == "raise":
                self._append(kept)
                raise nan_refused(f"values[{index + i}]")
        self._append(kept)

    def _append(self, x: list[float]) -> None:
        room = MAX_EXACT_COUNT - self.count
        if len(x) > room:
            self._append(x[:room])
            raise count_refused(MAX_EXACT_COUNT + 1)
        start = BLOCK - len(self._filling)
        if len(x) < start:
            self._filling.extend(x)
            return
        folded = take_block(self._folded, self._filling + x[:start])
        while len(x) - start >= BLOCK:
            folded = take_block(folded, x[start : start + BLOCK])
            start += BLOCK
        self._become(folded, x[start:])

    def _become(self, folded: Totals, filling: list[float]) -> None:
        # Both or neither: no signal handler runs between the two.
        self._folded, self._filling = folded, filling

    def _totals(self) -> Totals:
        """Of all values, those of the filling block included."""
        return take_block(self._folded, self._filling) if self._filling else self._folded

    def merge(self, other: BlockMoments) -> None:
        """Take what another has seen, as if it had come after; the filling blocks are closed.

        Raises
        ------
        InvalidInputError
            Both together are more than 2**53 values.
        """
        if not isinstance(other, BlockMoments):
            raise TypeError(f"other: expected Moments, got {type(other).__name__}")
        if self.count + other.count > MAX_EXACT_COUNT:
            raise count_refused(self.count + other.count)
        self._become(merge_totals(self._totals(), other._totals()), [])

    def reset(self) -> None:
        """Forget every value."""
        self._become(_NOTHING, [])

    @property
    def nan_policy(self) -> str:
        """What a NaN does: ``propagate``, ``omit`` or ``raise``."""
        return self._policy

    @property
    def count(self) -> int:
        """How many values were taken."""
        return self._folded.count + len(self._filling)

    @property
    def mean(self) -> float:
        """The mean; NaN of no values."""
        return self._totals().mean

    @property
    def m2(self) -> float:
        """The squares of the distances from the mean, summed; 0.0 of no values."""
        return self._totals().m2

    @property
    def min(self) -> float:
        """The smallest value; NaN of no values."""
        return self._totals().min

    @property
    def max(self) -> float:
        """The largest value; NaN of no values."""
        return self._totals().max

    @property
    def first(self) -> float:
        """The value taken first; NaN of no values."""
        if self._folded.count or not self._filling:
            return self._folded.first
        return self._filling[0]

    @property
    def last(self) -> float:
        """The value taken last; NaN of no values."""
        return self._filling[-1] if self._filling else self._folded.last

    def variance(self, ddof: int = 1) -> float:
        """``m2 / (count - ddof)``; NaN where that divisor is not positive.

        Raises
        ------
        InvalidInputError
            ``ddof`` is negative.
        """
        totals = self._totals()
        subtracted = checked_int("ddof", ddof, 0)
        return totals.m2 / float(totals.count - subtracted) if totals.count > subtracted else nan

    def std(self, ddof: int = 1) -> float:
        """The root of the variance."""
        return sqrt(self.variance(ddof))

    def summary(self) -> tuple[int, float, float, float, float, float, float]:
        """(count, mean, m2, min, max, first, last): what a store keeps of a chunk."""
        t = self._totals()
        return t.count, t.mean, t.m2, t.min, t.max, t.first, t.last


def finish_moments(
    moments: BlockMoments,
) -> tuple[int, float, float, float, float, float, float]:
    """The summary. The filling block is closed, and its room given back."""
    moments._become(moments._totals(), [])
    return moments.summary()


def moments_state(moments: BlockMoments) -> MomentsState:
    """The totals of the whole blocks, then the values of the filling one, as float64."""
    return (*moments._folded, array("d", moments._filling).tobytes())


def restore_moments(moments: BlockMoments, state: MomentsState) -> None:
    """Make moments what ``moments_state`` told.

    Raises
    ------
    InvalidInputError
        The count or m2 is negative, or the filling block is no bytes of fewer than 512 float64.
    """
    count, mean, mean_low, m2, low, high, first, last, filling = checked_state(state, 9)
    numbers = map(as_double, (mean, mean_low, m2, low, high, first, last))
    folded = Totals._make((count, *numbers))
    folded = folded._replace(count=checked_int("count", count, 0))
    if folded.m2 < 0.0:
        raise InvalidInputError("m2", folded.m2, "0 or more")
    size = len(filling) if isinstance(filling, bytes) else -1
    if size % 8 or not 0 <= size < BLOCK * 8:
        raise InvalidInputError("filling", filling, "whole float64 values, fewer than 512")
    moments._become(folded, array("d", filling).tolist())
