"""Answers about the samples of a range: points for a plot, statistics, percentiles, anomalies."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, Self

import numpy as np

from aetherops.aggregation.buckets import time_buckets
from aetherops.aggregation.moments import Moments
from aetherops.archive.samples import Samples
from aetherops.core import FUNCTIONS, find_anomalies
from aetherops.errors import InvalidInputError
from aetherops.instants import FIRST_US
from aetherops.statistics import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from aetherops.archive.store import SummarisedRange

__all__ = [
    "FUNCTIONS",
    "Anomalies",
    "Downsample",
    "Extremes",
    "Points",
    "Statistics",
    "anomalies",
    "extremes",
    "held",
    "percentiles",
    "points",
    "statistics",
]

_SECOND_US = 1_000_000
# Distances from about 1e154 on have squares that no double holds. A power of two changes no digit.
_SCALE = 2.0**-540


@dataclass(frozen=True, slots=True)
class Downsample:
    """Buckets of one width, aligned to multiples of it since 1970.

    Parameters
    ----------
    width_us : width of a bucket in microseconds.
    function : what a bucket's values are reduced to, one of `FUNCTIONS`; ``None`` for what suits
        the kind of the stream: the mean, and of a state the last value, held until the next.

    Raises
    ------
    InvalidInputError
        The width is not positive, or the function unknown.
    """

    width_us: int
    function: str | None = None

    def __post_init__(self) -> None:
        if self.width_us <= 0:
            raise InvalidInputError("downsample.width", self.width_us, "more than 0 µs")
        if self.function not in (None, *FUNCTIONS):
            raise InvalidInputError(
                "downsample.function", self.function, f"one of {', '.join(FUNCTIONS)}"
            )

    @classmethod
    def into(cls, buckets: int, start_us: int, end_us: int, function: str | None = None) -> Self:
        """The narrowest buckets of a round width that cut a range into at most `buckets`.

        Round widths (1, 2 or 5 of a power of ten below a second; then 1, 2, 5, 10, 15, 30 seconds
        or minutes; 1, 2, 3, 6, 12 hours; days) keep their edges when the range moves.
        """
        if buckets < 2:
            raise InvalidInputError("downsample.buckets", buckets, "2 or more")
        for width_us in _round_widths():
            # Two may always be needed: an edge can lie anywhere in the range.
            if width_us * buckets >= end_us - start_us:
                downsample = cls(width_us, function)
                if downsample.count(start_us, end_us) <= buckets:
                    return downsample
        raise AssertionError("widths grow for ever")

    def holds(self, kind: str) -> bool:
        """Whether an empty bucket of a stream of that kind has the value before it."""
        return self.function is None and kind == "state"

    def suited_to(self, kind: str) -> Downsample:
        """With a function, whichever suits that kind where none was chosen."""
        suiting = "last" if self.holds(kind) else "mean"
        return self if self.function else replace(self, function=suiting)

    def count(self, start_us: int, end_us: int) -> int:
        """How many buckets a range [start, end) touches."""
        if end_us <= start_us:
            return 0
        return (end_us - 1) // self.width_us - start_us // self.width_us + 1


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Columns of a plot, shape (n,) each.

    Parameters
    ----------
    times_us : instants of samples, or starts of buckets. One that year 1 cuts off begins there.
    values : NaN where a bucket is empty.
    counts : samples behind each value.
    """

    times_us: NDArray[np.int64]
    values: NDArray[np.float64]
    counts: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Extremes:
    """Count, least, greatest, earliest and latest of all values in a range; of none, ``None``."""

    count: int
    minimum: float | None = None
    maximum: float | None = None
    first: float | None = None
    last: float | None = None


@dataclass(frozen=True, slots=True)
class Statistics(Extremes):
    """Of all values in a range; what is not defined for that few is ``None``.

    ``variance`` and ``stddev`` are those of a sample (n - 1). One that no double can hold is
    ``None`` too: the variance where the deviation is above some 1e154.
    """

    mean: float | None = None
    variance: float | None = None
    stddev: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Anomalies:
    """Samples far from the mean; `total` counts all, the columns hold the first of them.

    ``scores`` are distances from the mean in standard deviations.
    """

    total: int
    times_us: NDArray[np.int64]
    values: NDArray[np.float64]
    scores: NDArray[np.float64]


def _round_widths() -> Iterator[int]:
    for decade in range(6):
        yield from (step * 10**decade for step in (1, 2, 5))
    yield from (step * _SECOND_US for step in (1, 2, 5, 10, 15, 30))
    yield from (step * 60 * _SECOND_US for step in (1, 2, 5, 10, 15, 30))
    yield from (step * 3_600 * _SECOND_US for step in (1, 2, 3, 6, 12))
    yield from (step * 10**decade * 86_400 * _SECOND_US for decade in count() for step in (1, 2, 5))


def points(samples: Samples, start_us: int, end_us: int, downsample: Downsample | None) -> Points:
    """The samples themselves, or the buckets of a range [start, end), empty ones included.

    Parameters
    ----------
    samples : of the range, in order of time.
    """
    if downsample is None:
        return Points(samples.times_us, samples.values, np.ones(len(samples), np.int64))
    function = downsample.function or "mean"
    starts_us, counts, values = _buckets(samples, start_us, end_us, downsample.width_us, function)
    return Points(np.maximum(starts_us, FIRST_US), values, counts)


def _buckets(
    samples: Samples, start_us: int, end_us: int, width_us: int, function: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Starts, counts and values of the buckets."""
    buckets = time_buckets(
        samples.times_us,
        samples.values,
        width_us,
        functions=(function,),
        start_us=start_us,
        end_us=end_us,
        gaps="nan",
        limit=max(1, Downsample(width_us).count(start_us, end_us)),
    )
    values = np.asarray(buckets.columns[function])
    return np.asarray(buckets.start_us), np.asarray(buckets.count), values


def held(points: Points, before: float | None) -> Points:
    """The points with the value of the last bucket that has one in each that is empty.

    Parameters
    ----------
    before : what the first ones hold; ``None`` where nothing was said before them.
    """
    latest = np.maximum.accumulate(np.where(points.counts > 0, np.arange(len(points.counts)), -1))
    first = math.nan if before is None else before
    # The index -1 is that of the value put behind all.
    values = np.append(points.values, first)[latest]
    return replace(points, values=values)


def statistics(samples: Samples) -> Statistics:
    """Moments, extremes and ends of the values."""
    moments = Moments(samples.values)
    if moments.count == 0:
        return Statistics(0)
    variance, deviation = _spread(samples.values, moments)
    return Statistics(
        count=moments.count,
        mean=moments.mean,
        variance=variance,
        stddev=deviation,
        minimum=moments.min,
        maximum=moments.max,
        first=moments.first,
        last=moments.last,
    )


def _spread(values: NDArray[np.float64], moments: Moments) -> tuple[float | None, float | None]:
    """Variance and deviation; each ``None`` where it is not defined, or no double holds it."""
    if moments.count < 2:
        return None, None
    variance, deviation = moments.variance(), moments.std()
    if moments.m2 == math.inf:
        scaled = Moments(values * _SCALE)
        variance = scaled.variance() / _SCALE / _SCALE
        deviation = scaled.std() / _SCALE
    return _finite(variance), _finite(deviation)


def _finite(number: float) -> float | None:
    return number if math.isfinite(number) else None


def extremes(summarised: SummarisedRange) -> Extremes:
    """What `statistics` of the range's samples says of these, to the last bit.

    Mean and variance are not among them: merged from summaries their last digits are others.
    """
    edges = [Moments(part.values) for part in (summarised.before, summarised.after)]
    in_order = [edges[0], *(chunk.moments for chunk in summarised.chunks), edges[1]]
    parts = [moments for moments in in_order if moments.count]
    if not parts:
        return Extremes(0)
    return Extremes(
        count=sum(part.count for part in parts),
        minimum=min(part.min for part in parts),
        maximum=max(part.max for part in parts),
        first=parts[0].first,
        last=parts[-1].last,
    )


def percentiles(samples: Samples, ranks: Sequence[float]) -> list[float]:
    """Nearest-rank percentiles: the ceil(rank / 100 · n)-th smallest value.

    Parameters
    ----------
    ranks : percent; those at or below 0 give the smallest value, from 100 on the largest.

    Raises
    ------
    InvalidInputError
        A rank is NaN, or there are no samples.
    """
    at = [nearest_rank(rank, len(samples)) - 1 for rank in ranks]
    ordered = np.partition(samples.values, sorted(set(at))) if at else samples.values
    return [float(ordered[i]) for i in at]


def anomalies(samples: Samples, threshold: float, limit: int) -> Anomalies:
    """Samples whose value is more than `threshold` standard deviations from the mean.

    Parameters
    ----------
    threshold : finite, 0 or more; the deviation is that of a sample (n - 1).
    limit : the most that are returned; all are counted.
    """
    if not (math.isfinite(threshold) and threshold >= 0):
        raise InvalidInputError("threshold", threshold, "a finite number from 0 upwards")
    values = samples.values
    moments = Moments(values)
    if moments.m2 == math.inf:
        values = values * _SCALE
        moments = Moments(values)
    deviation = moments.std() if moments.count > 1 else 0.0
    if not deviation:
        return Anomalies(0, samples.times_us[:0], values[:0], values[:0])
    at = np.asarray(find_anomalies(values, moments.mean, deviation, threshold))
    shown = at[:limit]
    scores = np.abs(values[shown] - moments.mean) / deviation
    return Anomalies(len(at), samples.times_us[shown], samples.values[shown], scores)
