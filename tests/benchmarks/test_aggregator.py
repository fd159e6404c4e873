"""Holds the aggregator to ratios, all measured in turn within one run.

The limits are half of what a quiet machine shows (docs/performance.md), so that a busy one passes.
"""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from aetherops import core
from aetherops.telemetry import summarize

FIGURES = runpy.run_path(str(Path(__file__).with_name("aggregator_figures.py")))
pytestmark = pytest.mark.alone
native = pytest.mark.skipif(core.IMPLEMENTATION == "pure", reason="measures the compiled core")


def times(**contenders):
    return FIGURES["least_times"](contenders, budget_s=1.5)


@pytest.fixture(scope="module")
def values():
    return FIGURES["noise"](50_000)


@native
@pytest.mark.parametrize(("source", "ratio"), [("buffer", 150), ("list", 60)])
def test_one_window_is_far_quicker_than_plain_python(source, ratio, values):
    numbers = values.tolist()
    window = values if source == "buffer" else numbers
    least = times(
        plain=lambda: FIGURES["reference"](numbers),
        ours=lambda: summarize(window, 10, anomaly_threshold=3.0),
    )
    assert least["plain"] >= ratio * least["ours"]


@native
def test_medians_take_three_times_as_long_as_means_at_most(values):
    least = times(
        means=lambda: summarize(values, 10, anomaly_threshold=3.0),
        medians=lambda: summarize(values, 10, "median", anomaly_threshold=3.0),
    )
    assert least["medians"] <= 3 * least["means"]


@pytest.mark.skipif(core.IMPLEMENTATION == "native", reason="measures the twins")
def test_the_twin_is_about_as_quick_as_plain_python(values):
    numbers = values.tolist()
    least = times(
        plain=lambda: FIGURES["reference"](numbers),
        ours=lambda: summarize(numbers, 10, anomaly_threshold=3.0),
    )
    assert least["ours"] <= 1.6 * least["plain"]
