"""Means and deviations: the rules, the rounding, and the plain left-to-right sum."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.statistics import exponential_decay_mean, mean, median, stddev, variance
from aetherops.statistics.averages import plain_sum

measurements = st.floats(-1e6, 1e6).map(lambda value: round(value, 3))
samples = st.lists(measurements, min_size=2, max_size=60)


@pytest.mark.parametrize("function", [mean, variance, stddev, exponential_decay_mean])
def test_no_values_give_zero(function: Callable[[Iterable[float]], float]) -> None:
    assert function([]) == 0.0


@pytest.mark.parametrize("function", [mean, variance, stddev, exponential_decay_mean])
def test_any_iterable_is_read_once(function: Callable[[Iterable[float]], float]) -> None:
    values = [3, 1.5, 4, 1.25]
    assert function(iter(values)) == function(values)
    assert function(tuple(values)) == function(values)


def test_the_mean_is_rounded_to_four_digits() -> None:
    assert mean([1, 2]) == 1.5
    assert mean([1, 1, 2]) == 1.3333
    assert mean([0.00004]) == 0.0


@given(samples)
def test_the_mean_agrees_with_exact_arithmetic(values: list[float]) -> None:
    exact = sum(map(Fraction, values)) / len(values)
    assert mean(values) == pytest.approx(float(exact), abs=6e-5)


@pytest.mark.parametrize("function", [mean, variance, stddev, exponential_decay_mean, median])
def test_an_array_gives_the_plain_float_that_its_list_gives(
    function: Callable[[Iterable[float]], float],
) -> None:
    # To four digits NumPy makes 0.0012 of it, Python 0.0013, which is nearer to the double.
    array = np.array([0.00125, 0.00125])
    assert repr(function(array)) == repr(function(array.tolist()))


def test_sums_run_left_to_right_without_compensation() -> None:
    assert plain_sum([1e16, 1.0, -1e16]) == 0.0
    assert plain_sum([0.1] * 10) == 0.9999999999999999
    assert plain_sum([10**17, 1, -(10**17)]) == 1


def test_the_variance_divides_by_one_less_than_the_count() -> None:
    assert variance([2, 4, 4, 4, 5, 5, 7, 9]) == 4.5714
    assert variance([1, 3]) == 2.0


def test_one_value_does_not_vary() -> None:
    assert variance([7.5]) == 0.0
    assert stddev([7.5]) == 0.0


def test_a_large_offset_does_not_drown_the_variance() -> None:
    assert variance([1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]) == 30.0


@given(samples)
def test_variance_and_deviation_agree_with_the_standard_library(values: list[float]) -> None:
    assert variance(values) == pytest.approx(statistics.variance(values), rel=1e-9, abs=6e-5)
    assert stddev(values) == pytest.approx(statistics.stdev(values), rel=1e-9, abs=6e-5)


def test_the_root_is_taken_before_rounding() -> None:
    values = [0.0, 0.008]
    assert variance(values) == 0.0
    assert stddev(values) == 0.0057


def test_the_newest_value_weighs_most_and_halves_every_half_life() -> None:
    assert exponential_decay_mean([0, 1], half_life=1) == 0.6667
    assert exponential_decay_mean([1, 0], half_life=1) == 0.3333
    assert exponential_decay_mean([1, 0, 0], half_life=2) == round(0.5 / (1 + 0.5**0.5 + 0.5), 4)


def test_the_half_life_is_five_values_unless_said_otherwise() -> None:
    values = [8.0, 1.0, 4.0, 2.0]
    assert exponential_decay_mean(values) == exponential_decay_mean(values, half_life=5)
    assert exponential_decay_mean(values) != exponential_decay_mean(values, half_life=6)


@given(samples, st.floats(0.1, 1e6))
def test_a_decaying_mean_lies_within_the_values(values: list[float], half_life: float) -> None:
    answer = exponential_decay_mean(values, half_life)
    assert min(values) - 1e-4 <= answer <= max(values) + 1e-4


@pytest.mark.parametrize("half_life", [0, -1, float("nan")])
def test_a_half_life_must_be_above_zero(half_life: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        exponential_decay_mean([1.0], half_life)
    assert caught.value.field == "half_life"
    assert isinstance(caught.value, ValueError)
    assert exponential_decay_mean([], half_life) == 0.0
