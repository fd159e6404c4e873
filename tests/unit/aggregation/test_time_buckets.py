"""Samples fall into time buckets aligned to an origin; gaps stand as such; summaries merge."""

from __future__ import annotations

import math
import random
from array import array

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.telemetry import Moments, Summaries, summarize_time_buckets, time_buckets

FUNCTIONS = ("mean", "median", "min", "max", "last")

samples = st.lists(st.tuples(st.integers(-(10**6), 10**6), st.floats(-1e6, 1e6)), max_size=80).map(
    lambda pairs: sorted(pairs, key=lambda pair: pair[0])
)
widths = st.integers(1, 10**6)
origins = st.integers(-(10**6), 10**6)


def columns(buckets):
    return {name: column.tolist() for name, column in buckets.columns.items()}


def test_buckets_are_aligned_to_the_origin_and_gaps_are_rows():
    buckets = time_buckets([3, 9, 10, 31], [1.0, 2.0, 4.0, 8.0], 10, functions=FUNCTIONS)
    assert buckets.start_us.tolist() == [0, 10, 20, 30]
    assert buckets.count.tolist() == [2, 1, 0, 1]
    assert repr(columns(buckets)["mean"]) == "[1.5, 4.0, nan, 8.0]"
    assert repr(columns(buckets)["last"]) == "[2.0, 4.0, nan, 8.0]"


def test_gaps_can_be_left_out():
    buckets = time_buckets([3, 31], [1.0, 8.0], 10, gaps="skip")
    assert (buckets.start_us.tolist(), columns(buckets)) == ([0, 30], {"mean": [1.0, 8.0]})
    assert len(buckets) == 2


def test_an_asked_range_bounds_the_samples_and_names_the_buckets():
    buckets = time_buckets([5, 15, 25], [1.0, 2.0, 3.0], 10, start_us=15, end_us=45)
    assert buckets.start_us.tolist() == [10, 20, 30, 40]
    assert buckets.count.tolist() == [1, 1, 0, 0]


def test_time_before_the_origin_has_its_buckets_too():
    buckets = time_buckets([-11, -10, -1], [1.0, 2.0, 3.0], 10, origin_us=0)
    assert buckets.start_us.tolist() == [-20, -10]
    assert time_buckets([-11], [1.0], 10, origin_us=7).start_us.tolist() == [-13]


def test_nothing_has_no_buckets():
    assert len(time_buckets([], [], 10)) == 0
    assert time_buckets([], [], 10, start_us=0, end_us=25).count.tolist() == [0, 0, 0]
    assert len(time_buckets([5], [1.0], 10, start_us=9, end_us=2)) == 0


@given(samples, widths, origins)
def test_every_sample_is_in_the_one_bucket_that_covers_it(pairs, width, origin):
    times, values = [t for t, _ in pairs], [v for _, v in pairs]
    buckets = time_buckets(times, values, width, functions=FUNCTIONS, origin_us=origin, gaps="skip")
    by_start: dict[int, list[float]] = {}
    for time_us, value in pairs:
        by_start.setdefault(time_us - (time_us - origin) % width, []).append(value)
    assert buckets.start_us.tolist() == list(by_start)
    assert buckets.count.tolist() == [len(part) for part in by_start.values()]
    for row, part in enumerate(by_start.values()):
        ordered = sorted(part)
        middle = (ordered[(len(part) - 1) // 2] + ordered[len(part) // 2]) / 2
        expected = (Moments(part).mean, middle, min(part), max(part), part[-1])
        assert tuple(buckets.columns[name][row] for name in FUNCTIONS) == expected


@given(samples, st.integers(1, 10**5), st.integers(1, 50))
def test_summaries_regroup_as_if_wider_buckets_had_been_asked_for(pairs, width, times_wider):
    times, values = [t for t, _ in pairs], [v for _, v in pairs]
    narrow = summarize_time_buckets(times, values, width)
    wide = summarize_time_buckets(times, values, width * times_wider)
    regrouped = narrow.regroup(width * times_wider)
    for name in ("start_us", "count", "min", "max", "first", "last"):
        assert getattr(regrouped, name).tolist() == getattr(wide, name).tolist()
    scale = max(map(abs, values), default=0.0)
    assert regrouped.mean.tolist() == pytest.approx(
        wide.mean.tolist(), rel=1e-14, abs=scale * 1e-15
    )
    assert regrouped.m2.tolist() == pytest.approx(
        wide.m2.tolist(), rel=1e-12, abs=scale * scale * 1e-15
    )


def test_a_row_is_what_moments_of_the_bucket_are():
    rng = random.Random(4)
    times = array("q", sorted(rng.randrange(10**6) for _ in range(5_000)))
    values = array("d", (rng.gauss(0, 1) for _ in times))
    summaries = summarize_time_buckets(times, values, 100_000)
    assert len(summaries) == 10
    for row, start in enumerate(summaries.start_us):
        part = [v for t, v in zip(times, values, strict=True) if start <= t < start + 100_000]
        assert summaries.moments(row).summary() == Moments(part).summary()
    total, whole = summaries.total(), Moments(values)
    assert total.count == whole.count
    assert total.std() == pytest.approx(whole.std(), rel=1e-15)


def test_stored_columns_become_summaries_again():
    summaries = summarize_time_buckets([0, 1, 70], [1.0, 3.0, 5.0], 10)
    names = ("start_us", "count", "mean", "m2", "min", "max", "first", "last")
    stored = {name: getattr(summaries, name).tobytes() for name in names}
    revived = Summaries(
        **{
            name: memoryview(stored[name]).cast("q" if name in ("start_us", "count") else "d")
            for name in names
        }
    )
    wider = revived.regroup(100, gaps="nan", start_us=-100, end_us=200)
    assert wider.count.tolist() == [0, 3, 0]
    assert wider.mean[1] == 3.0


def test_nan_follows_the_policy():
    times, values = [0, 1, 2, 10], [1.0, math.nan, 5.0, math.nan]
    propagated = time_buckets(times, values, 10, functions=FUNCTIONS)
    assert propagated.count.tolist() == [3, 1]
    assert repr(columns(propagated)["median"]) == "[nan, nan]"
    omitted = time_buckets(times, values, 10, functions=FUNCTIONS, nan_policy="omit")
    assert omitted.count.tolist() == [2, 0]
    assert repr(columns(omitted)["mean"]) == "[3.0, nan]"
    with pytest.raises(InvalidInputError, match=r"values\[1\]"):
        time_buckets(times, values, 10, nan_policy="raise")


def test_results_are_rounded_where_it_is_asked_for():
    buckets = time_buckets([0, 1, 2], [1.0, 1.0, 2.0], 10, decimals=2)
    assert columns(buckets) == {"mean": [1.33]}


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"times_us": [0, 5, 4]}, "times_us[2]"),
        ({"values": [1.0]}, "values"),
        ({"width_us": 0}, "width_us"),
        ({"width_us": 2**62}, "width_us"),
        ({"times_us": [0, 1, 2**62]}, "times_us[2]"),
        ({"origin_us": -(2**62)}, "origin_us"),
        ({"gaps": "fill"}, "gaps"),
        ({"functions": "mode"}, "functions"),
        ({"nan_policy": "drop"}, "nan_policy"),
        ({"decimals": -1}, "decimals"),
    ],
    ids=str,
)
def test_bad_arguments_are_refused_by_name(arguments, field):
    good = {"times_us": [0, 5, 9], "values": [1.0, 2.0, 3.0], "width_us": 5}
    with pytest.raises(InvalidInputError) as refusal:
        time_buckets(**good | arguments)
    assert refusal.value.field == field


@pytest.mark.parametrize("gaps", ["nan", "skip"])
def test_no_more_buckets_than_allowed_are_made(gaps):
    with pytest.raises(LimitExceededError, match="time buckets"):
        time_buckets(range(100), [0.0] * 100, 1, gaps=gaps, limit=99)
    assert len(time_buckets(range(100), [0.0] * 100, 1, gaps=gaps, limit=100)) == 100
