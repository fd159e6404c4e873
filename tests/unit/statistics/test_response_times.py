"""A service's response times."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.statistics import ResponseTimeTracker, mean, percentile


def test_nothing_recorded_reads_zero() -> None:
    tracker = ResponseTimeTracker()
    assert (tracker.p50(), tracker.p99(), tracker.average(), tracker.count()) == (0.0, 0.0, 0.0, 0)


def test_percentiles_are_of_the_nearest_rank() -> None:
    tracker = ResponseTimeTracker()
    for ms in range(200, 0, -1):
        tracker.record(ms)
    assert (tracker.p50(), tracker.p99()) == (100.0, 198.0)
    assert (tracker.average(), tracker.count()) == (100.5, 200)


@given(st.lists(st.floats(0, 1e6), min_size=1))
def test_answers_are_those_of_the_functions(times_ms: list[float]) -> None:
    tracker = ResponseTimeTracker()
    for ms in times_ms:
        tracker.record(ms)
    assert tracker.p50() == percentile(times_ms, 50)
    assert tracker.p99() == percentile(times_ms, 99)
    assert tracker.average() == mean(times_ms)


def test_trackers_share_nothing() -> None:
    one, other = ResponseTimeTracker(), ResponseTimeTracker()
    one.record(5.0)
    assert other.count() == 0


def test_threads_lose_no_record() -> None:
    tracker = ResponseTimeTracker()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tracker.record, [1.0] * 8000))
    assert tracker.count() == 8000


def test_nan_is_no_time() -> None:
    tracker = ResponseTimeTracker()
    with pytest.raises(InvalidInputError, match="ms"):
        tracker.record(math.nan)
    assert tracker.count() == 0
