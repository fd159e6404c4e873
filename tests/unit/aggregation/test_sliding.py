"""A sliding window answers as a fresh aggregation of what it holds, and never drifts."""

from __future__ import annotations

import copy
import math
import pickle
import random
from fractions import Fraction

import pytest
from hypothesis import given, settings, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.telemetry import Moments, SlidingWindow, detect_drift, rolling

EPSILON = Fraction(1, 2**53)


def exact(values):
    mean = sum(map(Fraction, values)) / len(values)
    return mean, sum((Fraction(v) - mean) ** 2 for v in values)


def assert_within_the_stated_precision(summary, values):
    """The bounds of docs/numerics.md: the mean all but rounded correctly, m2 within n + 4 units."""
    count, mean, m2, low, high, first, last = summary
    exact_mean, exact_m2 = exact(values)
    assert (count, low, high) == (len(values), min(values), max(values))
    assert (first, last) == (values[0], values[-1])
    scale = max(abs(Fraction(v)) for v in values)
    underflow = 4 * count * Fraction(5e-324)
    rounding = EPSILON * abs(exact_mean)
    assert abs(Fraction(mean) - exact_mean) <= rounding + 8 * count * EPSILON**2 * scale + underflow
    assert abs(Fraction(m2) - exact_m2) <= (count + 4) * 4 * EPSILON * exact_m2 + underflow


@settings(max_examples=60)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=120), st.integers(1, 40))
def test_each_step_answers_as_a_fresh_aggregation(values, size):
    window = SlidingWindow(size=size)
    for i, x in enumerate(values):
        window.push(x)
        held = values[max(0, i + 1 - size) : i + 1]
        assert window.values().tolist() == held
        assert_within_the_stated_precision(window.summary(), held)


def test_large_values_of_opposite_sign_keep_the_mean_within_its_bound():
    values = [567131023.4962943, 211224795.0, 0.0, 0.0, 1.0, 0.6791673302650452, 0.0, -536274931.0]
    window = SlidingWindow(size=8)
    window.push_many([0.0, *values])
    assert_within_the_stated_precision(window.summary(), values)


def test_an_outlier_leaves_no_trace_when_it_has_left():
    rng = random.Random(1)
    values = [rng.gauss(0, 1) for _ in range(500)]
    window = SlidingWindow(size=100)
    window.push_many([*values, 1e15, *values])
    assert_within_the_stated_precision(window.summary(), values[-100:])


def test_what_is_not_finite_leaves_no_trace_either():
    window = SlidingWindow(size=3)
    window.push_many([1.0, math.nan, math.inf])
    assert math.isnan(window.moments().mean)
    window.push_many([1.0, 2.0, 3.0])
    assert window.summary() == (3, 2.0, 2.0, 1.0, 3.0, 1.0, 3.0)


def test_a_long_stream_keeps_the_precision():
    rng = random.Random(2)
    values = [1e9 + rng.gauss(0, 1) for _ in range(20_000)]
    window = SlidingWindow(size=1_000)
    window.push_many(values)
    assert_within_the_stated_precision(window.summary(), values[-1_000:])


def test_values_leave_a_window_of_time_when_they_are_too_old():
    window = SlidingWindow(duration_us=10)
    for time_us in (0, 4, 10, 13):
        window.push(float(time_us), time_us)
    assert window.values().tolist() == [4.0, 10.0, 13.0]
    assert window.times_us().tolist() == [4, 10, 13]
    window.expire(20)
    assert window.values().tolist() == [13.0]
    window.expire(1_000)
    assert (window.count, window.summary()[0]) == (0, 0)
    window.push(1.0, 13)
    assert window.summary()[:2] == (1, 1.0)


def test_many_values_are_pushed_with_their_times():
    window = SlidingWindow(duration_us=5)
    window.push_many(map(float, range(600)), range(600))
    assert window.values().tolist() == [595.0, 596.0, 597.0, 598.0, 599.0]


def test_times_are_needed_and_must_not_run_backwards():
    window = SlidingWindow(duration_us=5)
    window.push(1.0, 10)
    with pytest.raises(InvalidInputError, match="time_us"):
        window.push(1.0, 9)
    with pytest.raises(InvalidInputError, match="times_us"):
        window.push_many([1.0])
    with pytest.raises(InvalidInputError, match="times_us"):
        window.push_many([1.0, 2.0], [11])


@pytest.mark.parametrize("limits", [{}, {"size": 0}, {"size": -1}, {"size": 2, "duration_us": 2}])
def test_one_limit_is_needed(limits):
    with pytest.raises(InvalidInputError, match="size"):
        SlidingWindow(**limits)


def test_anomalies_are_positions_in_the_window():
    values = [0.0, 1.0] * 20 + [50.0]
    window = SlidingWindow(size=30)
    window.push_many([1e6, *values])
    assert window.anomalies() == detect_drift(values[-30:]) == [29]
    assert SlidingWindow(size=3).anomalies() == []


@settings(max_examples=30)
@given(st.lists(st.floats(-1e6, 1e6), max_size=60), st.integers(1, 20))
def test_state_survives_pickle_and_copy(values, size):
    window = SlidingWindow(size=size)
    window.push_many(values)
    for revived in (pickle.loads(pickle.dumps(window)), copy.copy(window), copy.deepcopy(window)):
        assert repr(revived.summary()) == repr(window.summary())
        assert revived.values() == window.values()
    revived = window.copy()
    for x in values:
        window.push(x)
        revived.push(x)
        assert revived.summary() == window.summary()


def test_rolling_gives_a_column_of_each_moment():
    values = [3.0, 1.0, 4.0, 1.0, 5.0]
    columns = rolling(values, 3)
    held = [values[max(0, i - 2) : i + 1] for i in range(5)]
    assert columns.count.tolist() == [1, 2, 3, 3, 3]
    assert columns.min.tolist() == [min(part) for part in held]
    assert columns.max.tolist() == [max(part) for part in held]
    assert columns.mean.tolist() == pytest.approx([Moments(part).mean for part in held])
    assert columns.m2.tolist() == pytest.approx([Moments(part).m2 for part in held])


def test_a_reset_empties_the_window():
    window = SlidingWindow(size=3)
    window.push_many([1.0, 2.0])
    window.reset()
    assert window.count == 0
    assert "0 values" in repr(window)
