"""Buckets of samples: by number (``downsample``) and by time (``time_buckets``)."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from aetherops import core
from aetherops.aggregation.columns import (
    Column,
    IntegerColumn,
    float64_column,
    frozen,
    int64_column,
)
from aetherops.aggregation.moments import Moments
from aetherops.errors import InvalidInputError

__all__ = [
    "MAX_TIME_BUCKETS",
    "Summaries",
    "TimeBuckets",
    "downsample",
    "summarize_time_buckets",
    "time_buckets",
]

#: The most buckets that one answer may hold, unless the caller allows more.
MAX_TIME_BUCKETS = 1_000_000


def downsample(
    values: Iterable[float],
    factor: int,
    *,
    function: str = "mean",
    decimals: int | None = 4,
    nan_policy: str = "propagate",
) -> list[float]:
    """One value for each run of ``factor`` consecutive values; the last run may be shorter.

    Parameters
    ----------
    values : any iterable of numbers; a buffer of float64 is read without a copy.
    factor : values a bucket, at least 1.
    function : ``mean`` (left-to-right sum by count), ``median``, ``min``, ``max`` or ``last``.
    decimals : results are rounded as ``round(x, decimals)`` rounds; ``None`` leaves them alone.
    nan_policy : ``propagate``, ``omit`` (a bucket of NaN alone gives NaN) or ``raise``.

    Raises
    ------
    InvalidInputError
        The factor is not positive, or the function, the decimals or the policy unknown.
    """
    buckets = core.Buckets(factor, (function,), decimals=decimals, nan_policy=nan_policy)
    buckets.push_many(values)
    (column,) = buckets.drain()
    if buckets.n_filling:
        column.append(buckets.current()[0])
    return column.tolist()


@dataclass(frozen=True, slots=True, eq=False)
class TimeBuckets:
    """Columns of equal length, a row a bucket.

    Parameters
    ----------
    start_us : instants at which the buckets begin, microseconds since 1970.
    count : values in each; 0 marks a gap. With ``nan_policy="omit"`` NaN is not counted.
    columns : for each function its results, NaN in a gap.
    """

    start_us: IntegerColumn
    count: IntegerColumn
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.start_us)


def time_buckets(
    times_us: Iterable[int],
    values: Iterable[float],
    width_us: int,
    *,
    functions: str | Iterable[str] = ("mean",),
    origin_us: int = 0,
    start_us: int | None = None,
    end_us: int | None = None,
    gaps: str = "nan",
    decimals: int | None = None,
    nan_policy: str = "propagate",
    limit: int = MAX_TIME_BUCKETS,
) -> TimeBuckets:
    """Reduce samples to buckets of fixed width, aligned to an origin.

    Parameters
    ----------
    times_us : shape (n,), microseconds since 1970, ascending (equal neighbours may stand).
    values : shape (n,), of those instants.
    width_us : of a bucket; bucket k covers ``[origin_us + k*width_us, origin_us +
        (k+1)*width_us)``.
    functions : some of ``mean`` (as of `Moments`), ``median``, ``min``, ``max``, ``last``.
    start_us, end_us : only samples in ``[start_us, end_us)`` are taken; by default all. The buckets
        they name are there even where no sample is.
    gaps : ``nan`` keeps empty buckets as rows, ``skip`` leaves them out.
    decimals : results are rounded as ``round`` does; ``None`` leaves them alone.
    nan_policy : ``propagate``, ``omit`` or ``raise``.
    limit : the most buckets that may be needed.

    Raises
    ------
    InvalidInputError
        Times run backwards, columns differ in length, or an argument is out of range.
    LimitExceededError
        More than ``limit`` buckets would be needed.
    """
    times, column = _samples(times_us, values)
    names = core.checked_functions(functions)
    starts, offsets = _runs(times, width_us, origin_us, start_us, end_us, gaps, limit)
    numbers = _without_nan(column, offsets, nan_policy)
    count, mean, _, low, high, _, last = core.summarize_runs(*numbers)
    by_name = {"mean": mean, "min": low, "max": high, "last": last}
    if "median" in names:
        by_name["median"] = core.median_runs(*numbers)
    columns = {name: frozen(core.round_all(by_name[name], decimals)) for name in names}
    return TimeBuckets(frozen(starts), frozen(count), MappingProxyType(columns))


@dataclass(frozen=True, slots=True, eq=False)
class Summaries:
    """Mergeable moments of consecutive buckets, in columns of equal length, a row a bucket.

    Parameters
    ----------
    start_us : instants at which the buckets begin; only buckets with values are there.
    count, mean, m2, min, max, first, last : of the values of each, as `Moments` has them.
    """

    start_us: IntegerColumn
    count: IntegerColumn
    mean: Column
    m2: Column
    min: Column
    max: Column
    first: Column
    last: Column

    def __len__(self) -> int:
        return len(self.start_us)

    def regroup(
        self,
        width_us: int,
        *,
        origin_us: int = 0,
        start_us: int | None = None,
        end_us: int | None = None,
        gaps: str = "skip",
        limit: int = MAX_TIME_BUCKETS,
    ) -> Summaries:
        """Merge the rows whose buckets begin in the same wider bucket; arguments as `time_buckets`.

        With ``gaps="nan"`` empty buckets become rows of count 0 and NaN.
        """
        starts, offsets = _runs(self.start_us, width_us, origin_us, start_us, end_us, gaps, limit)
        merged = core.merge_runs(
            self.count, self.mean, self.m2, self.min, self.max, self.first, self.last, offsets
        )
        return _summaries(starts, merged)

    def total(self) -> Moments:
        """All rows merged, in order."""
        moments = Moments()
        for row in range(len(self)):
            moments.merge(self.moments(row))
        return moments

    def moments(self, row: int) -> Moments:
        """One row as `Moments`."""
        return Moments.from_summary(
            self.count[row],
            self.mean[row],
            self.m2[row],
            self.min[row],
            self.max[row],
            self.first[row],
            self.last[row],
        )


def summarize_time_buckets(
    times_us: Iterable[int],
    values: Iterable[float],
    width_us: int,
    *,
    origin_us: int = 0,
    start_us: int | None = None,
    end_us: int | None = None,
    nan_policy: str = "propagate",
    limit: int = MAX_TIME_BUCKETS,
) -> Summaries:
    """The moments of each time bucket that holds samples; arguments as `time_buckets`.

    A row is what ``Moments(values of the bucket).summary()`` gives, to the last bit.
    """
    times, column = _samples(times_us, values)
    starts, offsets = _runs(times, width_us, origin_us, start_us, end_us, "skip", limit)
    return _summaries(starts, core.summarize_runs(*_without_nan(column, offsets, nan_policy)))


def _summaries(starts: array[int], columns: core.SummaryColumns) -> Summaries:
    count, *numbers = columns
    return Summaries(frozen(starts), frozen(count), *map(frozen, numbers))


def _samples(
    times_us: Iterable[int], values: Iterable[float]
) -> tuple[memoryview[int], memoryview[float]]:
    times, column = int64_column(times_us), float64_column(values)
    if len(times) != len(column):
        raise InvalidInputError("values", f"{len(column)} values", f"{len(times)}, one a time")
    return times, column


def _runs(
    times: memoryview[int],
    width_us: int,
    origin_us: int,
    start_us: int | None,
    end_us: int | None,
    gaps: str,
    limit: int,
) -> tuple[array[int], array[int]]:
    """The runs of times in one bucket: starts of the buckets, offsets of the runs."""
    if gaps not in ("nan", "skip"):
        raise InvalidInputError("gaps", gaps, "'nan' or 'skip'")
    if start_us is None:
        start_us = times[0] if len(times) else 0
    if end_us is None:
        end_us = times[-1] + 1 if len(times) else start_us
    return core.time_runs(times, width_us, origin_us, start_us, end_us, gaps == "nan", limit)


def _without_nan(
    values: memoryview[float], offsets: array[int], nan_policy: str
) -> tuple[memoryview[float] | array[float], array[int]]:
    if nan_policy not in core.NAN_POLICIES:
        raise InvalidInputError("nan_policy", nan_policy, "'propagate', 'omit' or 'raise'")
    if nan_policy == "propagate":
        return values, offsets
    kept, kept_offsets = core.without_nan(values, offsets)
    if nan_policy == "raise" and len(kept) < offsets[-1] - offsets[0]:
        at = next(i for i in range(offsets[0], offsets[-1]) if values[i] != values[i])
        raise InvalidInputError(f"values[{at}]", values[at], "a number (nan_policy is 'raise')")
    return kept, kept_offsets
