"""What is answered about the samples of a range."""

import statistics as stdlib
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, given, strategies as st

from aetherops.archive.reductions import (
    FUNCTIONS,
    Downsample,
    anomalies,
    held,
    percentiles,
    points,
    statistics,
)
from aetherops.archive.samples import Samples
from aetherops.errors import InvalidInputError

LARGEST, TOLERANCE = Fraction(sys.float_info.max), Fraction(1, 10**12)
values = st.floats(-1e6, 1e6)
series = st.lists(st.tuples(st.integers(0, 1_000), values), unique_by=lambda row: row[0]).map(
    sorted
)
REDUCTIONS = {
    "mean": lambda run: sum(run) / len(run),
    "min": min,
    "max": max,
    "median": stdlib.median,
    "last": lambda run: run[-1],
}


def samples_of(rows):
    return Samples.of([t for t, _ in rows], [v for _, v in rows])


@given(series, st.integers(1, 400), st.sampled_from(FUNCTIONS))
def test_a_bucket_holds_the_samples_from_its_start_to_the_next(rows, width_us, function):
    answer = points(samples_of(rows), 0, 1_001, Downsample(width_us, function))

    assert answer.times_us.tolist() == list(range(0, 1_001, width_us))
    for start, value, n in zip(answer.times_us, answer.values, answer.counts, strict=True):
        run = [v for t, v in rows if start <= t < start + width_us]
        assert n == len(run)
        if run:
            assert value == pytest.approx(REDUCTIONS[function](run), rel=1e-12, abs=1e-9)
        else:
            assert np.isnan(value)


@given(st.integers(-(10**16), 10**16), st.integers(0, 10**15), st.integers(2, 3_000))
def test_a_range_is_cut_into_at_most_the_buckets_asked_for(start_us, length_us, buckets):
    downsample = Downsample.into(buckets, start_us, start_us + length_us)

    assert downsample.count(start_us, start_us + length_us) <= buckets


@pytest.mark.parametrize(
    ("length_s", "width_s"), [(1, 0.005), (200, 1), (86_400, 600), (30 * 86_400, 6 * 3_600)]
)
def test_buckets_have_round_widths(length_s, width_s):
    assert Downsample.into(201, 0, length_s * 1_000_000).width_us == width_s * 1_000_000


@given(series, st.integers(1, 400), st.none() | values)
def test_a_held_value_is_the_last_one_up_to_the_end_of_its_bucket(rows, width_us, before):
    buckets = points(samples_of(rows), 0, 1_001, Downsample(width_us, "last"))
    answer = held(buckets, before)

    for start, value in zip(answer.times_us, answer.values, strict=True):
        said = [v for t, v in rows if t < start + width_us]
        expected = said[-1] if said else before
        assert np.isnan(value) if expected is None else value == expected
    assert answer.counts.tolist() == buckets.counts.tolist()


def test_without_downsampling_the_points_are_the_samples():
    samples = samples_of([(1, 2.0), (5, 3.0)])
    answer = points(samples, 0, 10, None)

    assert answer.times_us.tolist() == [1, 5]
    assert answer.values.tolist() == [2.0, 3.0]
    assert answer.counts.tolist() == [1, 1]


@given(st.lists(values, min_size=2, max_size=50))
def test_statistics_are_those_of_the_sample(column):
    answer = statistics(Samples.of(range(len(column)), column))

    assert answer.count == len(column)
    assert answer.mean == pytest.approx(stdlib.mean(column), rel=1e-12, abs=1e-9)
    assert answer.variance == pytest.approx(stdlib.variance(column), rel=1e-9, abs=1e-6)
    assert (answer.minimum, answer.maximum) == (min(column), max(column))
    assert (answer.first, answer.last) == (column[0], column[-1])


@given(st.lists(st.floats(-1.0, 1.0), min_size=2, max_size=50), st.integers(400, 1023))
def test_wide_spreads_are_found_as_far_as_doubles_reach(column, exponent):
    scaled = [v * 2.0**exponent for v in column]
    answer = statistics(Samples.of(range(len(scaled)), scaled))

    variance = stdlib.variance(map(Fraction, scaled))
    assume(variance > 1)
    for found, power in ((answer.stddev, 2), (answer.variance, 1)):
        if found is None:
            assert variance > LARGEST**power * (1 - TOLERANCE)
        else:
            assert abs(Fraction(found) ** power / variance - 1) < TOLERANCE


def test_what_few_samples_do_not_define_is_absent():
    nothing = statistics(Samples.empty())
    assert (nothing.count, nothing.mean, nothing.variance, nothing.last) == (0, None, None, None)
    one = statistics(Samples.of([1], [5.0]))
    assert (one.count, one.mean, one.variance, one.stddev) == (1, 5.0, None, None)


@given(st.lists(values, min_size=1, max_size=60), st.floats(-10, 110))
def test_a_percentile_is_the_smallest_value_with_that_share_at_or_below_it(column, rank):
    (answer,) = percentiles(Samples.of(range(len(column)), column), [rank])

    enough = [v for v in column if 100 * sum(u <= v for u in column) >= rank * len(column)]
    assert answer == (min(enough) if enough else max(column))


def test_anomalies_lie_beyond_the_threshold_and_are_counted_when_not_shown():
    column = [10.0] * 97 + [50.0, -30.0, 60.0]
    answer = anomalies(Samples.of(range(100), column), 3.0, 2)

    assert answer.total == 3
    assert answer.times_us.tolist() == [97, 98]
    assert (answer.scores > 3.0).all()


def test_equal_values_have_no_anomalies():
    assert anomalies(Samples.of(range(5), [1.0] * 5), 0.0, 10).total == 0


@pytest.mark.parametrize("threshold", [-1.0, float("nan"), float("inf")])
def test_a_threshold_that_orders_nothing_is_refused(threshold):
    with pytest.raises(InvalidInputError, match="threshold"):
        anomalies(Samples.empty(), threshold, 10)


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda: Downsample(0), "width"),
        (lambda: Downsample(1, "mode"), "function"),
        (lambda: Downsample.into(1, 0, 10), "buckets"),
    ],
)
def test_a_downsampling_that_cannot_be_is_refused_by_field(make, field):
    with pytest.raises(InvalidInputError) as refused:
        make()
    assert refused.value.field == f"downsample.{field}"
