"""Medians of an even number of values near the largest double: the middle of the middle two."""

from __future__ import annotations

import random
import sys
from fractions import Fraction

import pytest

from aetherops import statistics
from aetherops.aggregation import downsample, time_buckets

LARGEST = sys.float_info.max
#: (values, their median): both middle values large, or one of them with so small an other that
#: their sum rounds to what no double holds.
LARGE = [
    ([LARGEST, LARGEST], LARGEST),
    ([-LARGEST, -LARGEST], -LARGEST),
    ([1.7e308, 1.5e308], 1.6e308),
    ([LARGEST, 1e292], (LARGEST / 2) + 5e291),
    ([-LARGEST, LARGEST], 0.0),
    ([0.0, 1.7e308, 1.5e308, LARGEST], 1.6e308),
]


@pytest.mark.parametrize(("values", "median"), LARGE)
def test_a_median_near_the_largest_double_is_finite(values: list[float], median: float) -> None:
    exact = sum(map(Fraction, sorted(values)[len(values) // 2 - 1 : len(values) // 2 + 1])) / 2

    assert median == float(exact)
    buckets = time_buckets(range(len(values)), values, 10, functions="median")
    assert list(buckets.columns["median"]) == [median]
    assert statistics.median(values) == median


# By a sorting network, for eight buckets abreast and for one; and by selection.
@pytest.mark.parametrize("width", [2, 6, 64, 66])
@pytest.mark.parametrize("buckets", [1, 8, 19])
def test_runs_of_any_width_have_the_exact_middle_rounded_once(width: int, buckets: int) -> None:
    draw = random.Random(width * 100 + buckets)
    values = [
        draw.choice([1, 1, -1]) * draw.uniform(1e306, LARGEST) for _ in range(width * buckets)
    ]

    medians = downsample(values, width, function="median", decimals=None)

    for i, found in enumerate(medians):
        ordered = sorted(values[i * width : (i + 1) * width])
        low, high = ordered[width // 2 - 1 : width // 2 + 1]
        assert found == float((Fraction(low) + Fraction(high)) / 2)


def test_infinities_stay_what_they_are() -> None:
    infinite = float("inf")
    values = [infinite, 1.0, -infinite, 1.0]
    assert downsample(values, 2, function="median") == [infinite, -infinite]
