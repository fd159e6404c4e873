# Twin: ext/aetherops/core/_native/aggregation/runs.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Runs of any length, as time-aware buckets make them: found, reduced, merged.

Run i holds the values offsets[i] to offsets[i + 1] of its column; it may be empty. The mean and the
squares of a run are those of ``Moments`` over its values.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from math import nan

from aetherops.core._pure.aggregation.buckets import median_of
from aetherops.core._pure.aggregation.floats import float64_column, int64_column
from aetherops.core._pure.aggregation.moments import Totals, merge_totals, take_all
from aetherops.core.aggregation_input import (
    MAX_EXACT_COUNT,
    SummaryColumns,
    check_lengths,
    check_offset_count,
    checked_int,
    checked_time_range,
    offset_refused,
    row_count_refused,
)
from aetherops.errors import InvalidInputError, LimitExceededError

__all__ = ["median_runs", "merge_runs", "summarize_runs", "time_runs", "without_nan"]

_NOTHING = Totals(0, nan, 0.0, nan, nan, nan, nan, nan)


def _check_times(times: Sequence[int]) -> None:
    for i in range(1, len(times)):
        if times[i] < times[i - 1]:
            raise InvalidInputError(
                f"times_us[{i}]", times[i], f"no time before {times[i - 1]}, its predecessor"
            )


def time_runs(
    times_us: Sequence[int],
    width_us: int,
    origin_us: int,
    start_us: int,
    end_us: int,
    with_empty: bool,
    limit: int,
) -> tuple[array[int], array[int]]:
    """Runs of the times in [start_us, end_us) that fall into the same bucket.

    Parameters
    ----------
    times_us : shape (n,), int64, ascending: microseconds since 1970, within 2**61 of it.
    width_us, origin_us : bucket k covers ``[origin_us + k*width_us, origin_us + (k+1)*width_us)``.
    with_empty : whether buckets without a time become empty runs, or are left out.
    limit : the most buckets that may be needed.

    Returns
    -------
    The starts of the buckets, and one offset more than there are runs.

    Raises
    ------
    InvalidInputError
        Times run backwards, or an argument is out of range.
    LimitExceededError
        More than ``limit`` buckets would be needed.
    """
    times = int64_column(times_us, "times_us")
    _check_times(times)
    ends = (times[0], times[-1]) if len(times) else ()
    limit = checked_int("limit", limit, 0)
    width, origin, start, end = checked_time_range(
        ends, len(times), width_us, origin_us, start_us, end_us
    )
    if with_empty:
        return _runs_with_empty(times, width, origin, start, end, limit)
    return _runs_of_times(times, width, origin, start, end, limit)


def _runs_with_empty(
    times: Sequence[int], width: int, origin: int, start: int, end: int, limit: int
) -> tuple[array[int], array[int]]:
    low = bisect_left(times, start)
    high = bisect_left(times, end, low)
    starts, offsets = array("q"), array("q", [low])
    if start >= end:
        return starts, offsets
    first = (start - origin) // width
    n_runs = (end - 1 - origin) // width - first + 1
    if n_runs > limit:
        raise LimitExceededError("time buckets", limit, n_runs)
    for bucket in range(first, first + n_runs):
        starts.append(origin + bucket * width)
        low = bisect_left(times, origin + (bucket + 1) * width, low, high)
        offsets.append(low)
    return starts, offsets


def _runs_of_times(
    times: Sequence[int], width: int, origin: int, start: int, end: int, limit: int
) -> tuple[array[int], array[int]]:
    low = bisect_left(times, start)
    high = bisect_left(times, end, low)
    starts, offsets = array("q"), array("q", [low])
    while low < high:
        bucket = (times[low] - origin) // width
        if len(starts) == limit:
            raise LimitExceededError("time buckets", limit, limit + 1)
        starts.append(origin + bucket * width)
        low = bisect_left(times, origin + (bucket + 1) * width, low, high)
        offsets.append(low)
    return starts, offsets


def _checked_offsets(offsets: Sequence[int], n: int) -> memoryview[int]:
    """Ascending indices from 0 to n, one or more."""
    column = int64_column(offsets, "offsets")
    check_offset_count(len(column))
    before = 0
    for i, offset in enumerate(column):
        if not before <= offset <= n:
            raise offset_refused(i, offset, before, n)
        before = offset
    return column


def without_nan(values: Sequence[float], offsets: Sequence[int]) -> tuple[array[float], array[int]]:
    """The runs without their NaN: what is left of the values, and its offsets.

    Raises
    ------
    InvalidInputError
        The offsets do not ascend inside the values.
    """
    column = float64_column(values, "values")
    bounds = _checked_offsets(offsets, len(column))
    kept, kept_offsets = array("d"), array("q", [0])
    for run in range(len(bounds) - 1):
        kept.extend(v for v in column[bounds[run] : bounds[run + 1]] if v == v)
        kept_offsets.append(len(kept))
    return kept, kept_offsets


def _columns(rows: Iterable[Totals]) -> SummaryColumns:
    count = array("q")
    mean, m2, low, high, first, last = (array("d") for _ in range(6))
    for t in rows:
        count.append(t.count)
        mean.append(t.mean)
        m2.append(t.m2)
        low.append(t.min)
        high.append(t.max)
        first.append(t.first)
        last.append(t.last)
    return count, mean, m2, low, high, first, last


def summarize_runs(values: Sequence[float], offsets: Sequence[int]) -> SummaryColumns:
    """Columns count, mean, m2, min, max, first, last: a row a run, NaN where it is empty.

    Raises
    ------
    InvalidInputError
        The offsets do not ascend inside the values.
    """
    column = float64_column(values, "values")
    bounds = _checked_offsets(offsets, len(column))
    return _columns(
        take_all(_NOTHING, column[bounds[run] : bounds[run + 1]]) for run in range(len(bounds) - 1)
    )


def median_runs(values: Sequence[float], offsets: Sequence[int]) -> array[float]:
    """The median of each run; NaN where it is empty or holds NaN.

    Raises
    ------
    InvalidInputError
        The offsets do not ascend inside the values.
    """
    column = float64_column(values, "values")
    bounds = _checked_offsets(offsets, len(column))
    medians = array("d")
    for run in range(len(bounds) - 1):
        part = column[bounds[run] : bounds[run + 1]]
        medians.append(nan if not len(part) or any(v != v for v in part) else median_of(part))
    return medians


def merge_runs(
    count: Sequence[int],
    mean: Sequence[float],
    m2: Sequence[float],
    min: Sequence[float],  # noqa: A002  # the column's name
    max: Sequence[float],  # noqa: A002
    first: Sequence[float],
    last: Sequence[float],
    offsets: Sequence[int],
) -> SummaryColumns:
    """Merge the rows of each run of summaries, in order, to one.

    Parameters
    ----------
    count : shape (n,), int64.
    mean, m2, min, max, first, last : shape (n,), float64.
    offsets : run i holds the rows ``offsets[i]`` to ``offsets[i + 1]``.

    Returns
    -------
    The seven columns, a row a run.

    Raises
    ------
    InvalidInputError
        The columns differ in length, the offsets do not ascend inside them, a count is negative,
        or a run has more than 2**53 values.
    """
    named = {"mean": mean, "m2": m2, "min": min, "max": max, "first": first, "last": last}
    counts = int64_column(count, "count")
    columns = {name: float64_column(values, name) for name, values in named.items()}
    check_lengths(len(counts), **{name: len(column) for name, column in columns.items()})
    bounds = _checked_offsets(offsets, len(counts))
    means, *others = columns.values()
    rows = [Totals(n, mean, 0.0, *rest) for n, mean, *rest in zip(counts, means, *others)]  # noqa: B905

    def merged(run: int) -> Totals:
        totals = _NOTHING
        for row in range(bounds[run], bounds[run + 1]):
            if not 0 <= counts[row] <= MAX_EXACT_COUNT - totals.count:
                raise row_count_refused(row, counts[row])
            totals = merge_totals(totals, rows[row])
        return totals

    return _columns(merged(run) for run in range(len(bounds) - 1))
