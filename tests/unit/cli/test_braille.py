"""Plots in the terminal."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings, strategies as st

from aetherops.cli.query.braille import Curve, Marks, draw_plot, sparkline

T0_US = 1_769_860_800_000_000
SPAN_US = (T0_US, T0_US + 3_600_000_000)
values = st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False))


def times(count: int) -> list[int]:
    return [T0_US + i * 3_600_000_000 // max(count, 1) for i in range(count)]


def test_a_ramp_rises_from_corner_to_corner_between_its_axes() -> None:
    plot = draw_plot(
        Curve([SPAN_US[0], SPAN_US[1]], [0.0, 10.0]), Marks(), SPAN_US, width=60, height=12
    )
    *rows, axis, labels = plot.splitlines()
    assert len(rows) == 10
    assert rows[0].split("┤")[0].strip() == "10.0"
    assert rows[-1].split("┤")[0].strip() == "0.0"
    first = [len(row) - len(row.rstrip()) - len(row) for row in rows]
    assert first == sorted(first)  # each row reaches at least as far as the one below
    assert axis.strip().startswith("└")
    assert labels.split() == ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00Z"]


def test_a_gap_stays_empty() -> None:
    level = [5.0] * 40 + [None] * 20 + [5.0] * 40
    plot = draw_plot(Curve(times(100), level), Marks(), SPAN_US, width=56, height=6)
    (row,) = [line for line in plot.splitlines() if "5" in line and "┤" in line]
    drawn = row.split("┤")[1]
    assert " " in drawn.strip()
    assert " " not in drawn[:15]
    assert drawn.strip().count(" ") == pytest.approx(20 / 100 * 52, abs=2)


def test_an_anomaly_is_a_cross_even_outside_the_curve() -> None:
    marks = Marks([T0_US], [100.0])
    plot = draw_plot(Curve(times(4), [1.0] * 4), marks, SPAN_US, width=40, height=8)
    assert plot.count("×") == 1
    assert "×" in plot.splitlines()[0]


def test_no_samples_are_said_so() -> None:
    assert "no samples" in draw_plot(Curve([], []), Marks(), SPAN_US, width=40, height=8)


@given(st.lists(values, max_size=50), st.integers(1, 120), st.integers(1, 30))
@settings(deadline=None)
def test_any_values_fit_into_the_rectangle(
    column: list[float | None], width: int, height: int
) -> None:
    curve = Curve(times(len(column)), column)
    plot = draw_plot(curve, Marks(), SPAN_US, width=width, height=height)
    if any(value is not None for value in column):
        assert len(plot.splitlines()) == max(height - 2, 2) + 2
        margin = plot.splitlines()[0].index("┤" if "┤" in plot.splitlines()[0] else "│")
        for line in plot.splitlines()[:-1]:
            assert len(line) <= max(width, margin + 13)


def test_a_sparkline_shows_course_and_gaps() -> None:
    assert sparkline([0.0, 1.0, None, 7.0]) == "▁▂ █"
    assert sparkline([3.0, 3.0]) == "▁▁"
    assert sparkline([None]) == sparkline([]) == ""


@given(st.lists(values, max_size=300), st.integers(1, 80))
def test_a_sparkline_is_no_wider_than_asked(column: list[float | None], width: int) -> None:
    assert len(sparkline(column, width)) <= min(width, len(column))


def test_the_largest_doubles_have_a_mean() -> None:
    assert sparkline([1.7976931348623157e308] * 3 + [0.0] * 3, 2) == "█▁"


def test_each_bar_of_a_sparkline_is_the_mean_of_its_share() -> None:
    wave = [math.sin(i / 10) for i in range(600)]
    means = [math.fsum(wave[10 * i : 10 * i + 10]) / 10 for i in range(60)]
    assert sparkline(wave) == sparkline(means)
