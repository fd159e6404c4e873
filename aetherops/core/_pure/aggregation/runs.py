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
from typing import TypeAlias

from aetherops.core._pure.aggregation.buckets import median_of
from aetherops.core._pure.aggregation.moments import Totals, merge_totals, take_all
from aetherops.errors import InvalidInputError, LimitExceededError

__all__ = [
    "SummaryColumns",
    "median_runs",
    "merge_runs",
    "summarize_runs",
    "time_runs",
    "without_nan",
]

# The columns count, mean, m2, min, max, first, last.
SummaryColumns: TypeAlias = tuple[
    "array[int]",
    "array[float]",
    "array[float]",
    "array[float]",
    "array[float]",
    "array[float]",
    "array[float]",
]

_NOTHING = Totals(0, nan, 0.0, nan, nan, nan, nan, nan)


def _check_times(times: Sequence[int]) -> None:
    for i in range(1, len(times)):
        if times[i] < times[i - 1]:
            raise InvalidInputError(
                f"times_us[{i}]", times[i], f"no time before {times[i - 1]}, its predecessor"
            )


def time_runs(
    times: Sequence[int],
    width_us: int,
    origin_us: int,
    start_us: int,
    end_us: int,
    with_empty: bool,
    limit: int,
) -> tuple[array[int], array[int]]:
    """Runs of the times in [start_us, end_us) that fall into the same bucket.

    Returns the starts of the buckets and one offset more than there are runs. Buckets without a
    time are left out, or become empty runs.
    """
    starts, offsets = array("q"), array("q")
    _check_times(times)
    low = bisect_left(times, start_us)
    high = bisect_left(times, end_us, low)
    offsets.append(low)
    if with_empty:
        if start_us >= end_us:
            return starts, offsets
        first = (start_us - origin_us) // width_us
        n_runs = (end_us - 1 - origin_us) // width_us - first + 1
        if n_runs > limit:
            raise LimitExceededError("time buckets", limit, n_runs)
        for bucket in range(first, first + n_runs):
            starts.append(origin_us + bucket * width_us)
            low = bisect_left(times, origin_us + (bucket + 1) * width_us, low, high)
            offsets.append(low)
        return starts, offsets
    while low < high:
        bucket = (times[low] - origin_us) // width_us
        if len(starts) == limit:
            raise LimitExceededError("time buckets", limit, limit + 1)
        starts.append(origin_us + bucket * width_us)
        low = bisect_left(times, origin_us + (bucket + 1) * width_us, low, high)
        offsets.append(low)
    return starts, offsets


def without_nan(values: Sequence[float], offsets: Sequence[int]) -> tuple[array[float], array[int]]:
    """The runs without their NaN."""
    kept, kept_offsets = array("d"), array("q", [0])
    for run in range(len(offsets) - 1):
        kept.extend(v for v in values[offsets[run] : offsets[run + 1]] if v == v)
        kept_offsets.append(len(kept))
    return kept, kept_offsets


def _check_offsets(offsets: Sequence[int], n: int) -> None:
    if len(offsets) == 0 or offsets[0] < 0 or offsets[len(offsets) - 1] > n:
        raise InvalidInputError("offsets", list(offsets), f"indices from 0 to {n}")
    for i in range(1, len(offsets)):
        if offsets[i] < offsets[i - 1]:
            raise InvalidInputError(f"offsets[{i}]", offsets[i], f"{offsets[i - 1]} or more")


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
    """Columns count, mean, m2, min, max, first, last: a row a run, NaN where it is empty."""
    _check_offsets(offsets, len(values))
    return _columns(
        take_all(_NOTHING, values[offsets[run] : offsets[run + 1]])
        for run in range(len(offsets) - 1)
    )


def median_runs(values: Sequence[float], offsets: Sequence[int]) -> array[float]:
    """The median of each run; NaN where it is empty or holds NaN."""
    _check_offsets(offsets, len(values))
    medians = array("d")
    for run in range(len(offsets) - 1):
        part = values[offsets[run] : offsets[run + 1]]
        medians.append(nan if not len(part) or any(v != v for v in part) else median_of(part))
    return medians


def merge_runs(
    count: Sequence[int],
    mean: Sequence[float],
    m2: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    first: Sequence[float],
    last: Sequence[float],
    offsets: Sequence[int],
) -> SummaryColumns:
    """Merge the rows of each run of summaries, in order, to one."""
    _check_offsets(offsets, len(count))
    if not len(count) == len(mean) == len(m2) == len(low) == len(high) == len(first) == len(last):
        raise InvalidInputError("columns", len(count), "seven columns of one length")

    def merged(run: int) -> Totals:
        totals = _NOTHING
        for row in range(offsets[run], offsets[run + 1]):
            part = Totals(
                count[row], mean[row], 0.0, m2[row], low[row], high[row], first[row], last[row]
            )
            totals = merge_totals(totals, part)
        return totals

    return _columns(merged(run) for run in range(len(offsets) - 1))
