"""Percentiles, medians, trimmed means and service levels."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.statistics import median, nearest_rank, percentile, rolling_sla, trimmed_mean

values_in_any_order = st.lists(st.integers(-1000, 1000) | st.floats(-1e6, 1e6), min_size=1)


def percentile_99(values: Iterable[float]) -> float:
    return percentile(values, 99)


def share_below_5(values: Iterable[float]) -> float:
    return rolling_sla(values, 5)


@pytest.mark.parametrize("function", [percentile_99, median, trimmed_mean, share_below_5])
def test_no_values_give_zero(function: Callable[[Iterable[float]], float]) -> None:
    assert function([]) == 0.0


@pytest.mark.parametrize("function", [percentile_99, median, trimmed_mean, share_below_5])
def test_any_iterable_is_read_once(function: Callable[[Iterable[float]], float]) -> None:
    values = [9, 2.5, 7, 1, 8, 3, 12, 4, 6, 5, 0]
    assert function(iter(values)) == function(values)


# Of values 1 to n, a percentile is its own rank.
@pytest.mark.parametrize(
    ("count", "pct", "rank"),
    [(10, 50, 5), (10, 51, 6), (10, 90, 9), (10, 90.1, 10), (4, 25, 1), (4, 26, 2), (100, 99, 99)],
)
def test_a_percentile_is_the_value_of_the_nearest_rank(count: int, pct: float, rank: int) -> None:
    assert percentile(reversed(range(1, count + 1)), pct) == rank
    assert nearest_rank(pct, count) == rank


@given(st.integers(1, 999_999), st.integers(1, 10**7))
def test_a_rank_is_that_of_the_percentage_as_it_is_written(ten_thousandths: int, n: int) -> None:
    pct = float(f"{ten_thousandths // 10_000}.{ten_thousandths % 10_000:04}")
    assert nearest_rank(pct, n) == -(-ten_thousandths * n // 1_000_000)


def test_ranks_that_doubles_would_miss() -> None:
    assert nearest_rank(55, 100) == 55
    assert nearest_rank(99.9, 1000) == 999
    assert nearest_rank(5e-324, 10) == 1


@pytest.mark.parametrize("pct", [0, -5, -math.inf])
def test_a_percentile_of_zero_and_less_is_the_smallest(pct: float) -> None:
    assert percentile([3, 1, 2], pct) == 1.0


@pytest.mark.parametrize("pct", [100, 250, math.inf])
def test_a_percentile_of_a_hundred_and_more_is_the_largest(pct: float) -> None:
    assert percentile([3, 1, 2], pct) == 3.0


def test_a_percentile_is_a_float_and_not_rounded() -> None:
    assert isinstance(percentile([1, 2, 3], 50), float)
    assert percentile([0.123456789], 50) == 0.123456789


@given(values_in_any_order, st.integers(1, 64))
def test_a_percentile_is_the_smallest_value_that_covers_its_share(
    values: list[float], parts: int
) -> None:
    pct = parts / 64 * 100  # an exact share, so that counting needs no tolerance
    covering = [
        candidate
        for candidate in values
        if sum(value <= candidate for value in values) * 64 >= parts * len(values)
    ]
    assert percentile(values, pct) == min(covering)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1), st.integers(1, 99))
def test_percentiles_enclose_the_standard_librarys_inclusive_cut_points(
    values: list[float], pct: int
) -> None:
    # Both definitions lie between the same two neighbours, at most one rank apart.
    ascending = sorted(values)
    cut = statistics.quantiles([*values, *values], n=100, method="inclusive")[pct - 1]
    rank = nearest_rank(pct, len(values))
    low, high = ascending[max(rank - 2, 0)], ascending[min(rank, len(values) - 1)]
    assert math.nextafter(low, -math.inf) <= cut or cut == pytest.approx(low)
    assert cut <= math.nextafter(high, math.inf) or cut == pytest.approx(high)
    assert low <= percentile(values, pct) <= high


def test_nan_is_no_percentage() -> None:
    with pytest.raises(InvalidInputError) as caught:
        percentile([1.0], math.nan)
    assert caught.value.field == "pct"
    assert percentile([], math.nan) == 0.0


def test_there_is_no_rank_among_no_values() -> None:
    with pytest.raises(InvalidInputError, match="count"):
        nearest_rank(50, 0)


def test_the_median_is_the_middle_or_the_mean_of_the_middle_two() -> None:
    assert median([9, 1, 5]) == 5.0
    assert median([4, 1, 3, 2]) == 2.5
    assert median([0.11111, 0.11112]) == 0.1111


@given(values_in_any_order)
def test_the_median_agrees_with_the_standard_library(values: list[float]) -> None:
    assert median(values) == round(statistics.median(values), 4)


def test_a_tenth_is_trimmed_at_each_end_unless_said_otherwise() -> None:
    assert trimmed_mean([1000, *[5] * 8, -9000]) == 5.0
    assert trimmed_mean([-1000, *[5] * 7, 1000]) == round(35 / 9, 4)  # int(0.9) is nothing


def test_what_is_trimmed_is_rounded_down_to_whole_values() -> None:
    assert trimmed_mean([0, 1, 2, 3, 10], 0.39) == 2.0
    assert trimmed_mean([0, 1, 2, 3, 10], 0.4) == 2.0
    assert trimmed_mean([0, 1, 2, 30, 100], 0.2) == 11.0
    assert trimmed_mean([0, 1, 2, 30, 100], 0.19) == 26.6


def test_nothing_is_trimmed_at_a_ratio_of_zero() -> None:
    assert trimmed_mean([1, 2, 9], 0) == 4.0


@given(values_in_any_order, st.floats(0, 0.5, exclude_max=True))
def test_something_is_always_left_to_average(values: list[float], ratio: float) -> None:
    assert min(values) - 1e-3 <= trimmed_mean(values, ratio) <= max(values) + 1e-3


def test_the_largest_ratio_below_a_half_leaves_the_median() -> None:
    ratio = math.nextafter(0.5, 0)
    for count in range(1, 200):
        values = [float(value * value) for value in range(count)]
        assert trimmed_mean(values, ratio) == median(values)


@pytest.mark.parametrize("ratio", [-0.1, 0.5, 1, math.nan])
def test_a_ratio_outside_zero_to_a_half_is_refused(ratio: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        trimmed_mean([1.0, 2.0], ratio)
    assert caught.value.field == "trim_ratio"
    assert trimmed_mean([], ratio) == 0.0


def test_latencies_at_the_objective_meet_it() -> None:
    assert rolling_sla([100, 200, 300], 200) == 0.6667
    assert rolling_sla([100, 200, 300], 199.9) == 0.3333
    assert rolling_sla([100], 50) == 0.0
