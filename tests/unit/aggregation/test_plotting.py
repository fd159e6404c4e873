"""Points chosen for a plot keep its shape, its ends and its peaks."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.telemetry import largest_triangle_three_buckets, min_max

series = st.lists(st.floats(-1e6, 1e6), min_size=4, max_size=200)


@given(series, st.integers(3, 60))
def test_largest_triangles_keep_the_ends_and_as_many_points_as_asked(values, n_out):
    indices = largest_triangle_three_buckets(values, n_out).tolist()
    assert len(indices) == min(n_out, len(values))
    assert indices == sorted(set(indices))
    assert (indices[0], indices[-1]) == (0, len(values) - 1)


def test_a_lone_spike_is_chosen():
    values = [0.0] * 1_000
    values[417] = 50.0
    assert 417 in largest_triangle_three_buckets(values, 20).tolist()


def test_the_largest_triangle_is_the_largest():
    rng = random.Random(3)
    x = sorted(rng.uniform(0, 100) for _ in range(40))
    y = [rng.gauss(0, 1) for _ in range(40)]
    chosen = largest_triangle_three_buckets(y, 6, times=x).tolist()
    edges = [bucket * 38 // 4 + 1 for bucket in range(5)] + [40]
    before = 0
    for bucket in range(4):
        part = range(edges[bucket + 1], edges[bucket + 2])
        mean_x, mean_y = (sum(axis[i] for i in part) / len(part) for axis in (x, y))
        areas = {
            i: abs(
                (x[before] - mean_x) * (y[i] - y[before])
                - (x[before] - x[i]) * (mean_y - y[before])
            )
            for i in range(edges[bucket], edges[bucket + 1])
        }
        before = chosen[bucket + 1]
        assert areas[before] == pytest.approx(max(areas.values()))


@given(series, st.integers(2, 60))
def test_min_max_loses_no_peak(values, n_out):
    indices = min_max(values, n_out).tolist()
    assert indices == sorted(set(indices))
    assert len(indices) <= max(n_out, 2)
    assert min(values[i] for i in indices) == min(values)
    assert max(values[i] for i in indices) == max(values)


def test_short_series_are_kept_whole():
    for choose in (largest_triangle_three_buckets, min_max):
        assert choose([1.0, 2.0, 3.0], 3).tolist() == [0, 1, 2]
        assert choose([], 5).tolist() == []


def test_nan_is_chosen_only_where_there_is_nothing_else():
    values = [float(i % 7) for i in range(100)]
    holes = [math.nan if i % 3 == 0 and 0 < i < 99 else v for i, v in enumerate(values)]
    for choose in (largest_triangle_three_buckets, min_max):
        chosen = choose(holes, 12).tolist()
        assert not any(math.isnan(holes[i]) for i in chosen)
    assert min_max([math.nan] * 10, 4).tolist() == [0, 5]


def test_bad_arguments_are_refused():
    with pytest.raises(InvalidInputError, match="n_out"):
        largest_triangle_three_buckets([1.0] * 9, 2)
    with pytest.raises(InvalidInputError, match="n_out"):
        min_max([1.0] * 9, 1)
    with pytest.raises(InvalidInputError, match="times"):
        largest_triangle_three_buckets([1.0] * 9, 3, times=[1.0])
