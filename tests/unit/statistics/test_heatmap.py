"""Values in rows and columns."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.statistics import generate_heatmap


def test_cells_are_filled_row_by_row() -> None:
    assert generate_heatmap(2, 3, [1, 2, 3, 4, 5, 6]) == [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]


def test_missing_cells_are_zero() -> None:
    assert generate_heatmap(2, 2, [7]) == [[7.0, 0.0], [0.0, 0.0]]
    assert generate_heatmap(1, 2, []) == [[0.0, 0.0]]


def test_cells_are_floats_rounded_to_two_digits() -> None:
    assert generate_heatmap(1, 3, [1.236, 2.675, 3]) == [[1.24, 2.67, 3.0]]
    assert all(isinstance(cell, float) for cell in generate_heatmap(1, 2, [3])[0])


def test_values_beyond_the_last_cell_are_not_read() -> None:
    values = count(1)
    assert generate_heatmap(2, 2, values) == [[1.0, 2.0], [3.0, 4.0]]
    assert next(values) == 5


def test_rows_are_lists_of_their_own() -> None:
    grid = generate_heatmap(2, 1, [])
    grid[0][0] = 9.0
    assert grid[1] == [0.0]


@given(st.integers(0, 8), st.integers(0, 8), st.lists(st.floats(-1e9, 1e9), max_size=80))
def test_a_cell_is_the_value_of_its_row_major_index(
    rows: int, cols: int, values: list[float]
) -> None:
    grid = generate_heatmap(rows, cols, values)
    assert [len(row) for row in grid] == [cols] * rows
    for row in range(rows):
        for col in range(cols):
            index = row * cols + col
            assert grid[row][col] == (round(values[index], 2) if index < len(values) else 0.0)


@pytest.mark.parametrize(("rows", "cols", "field"), [(-1, 2, "rows"), (2, -1, "cols")])
def test_a_negative_size_is_refused(rows: int, cols: int, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        generate_heatmap(rows, cols, [])
    assert caught.value.field == field
