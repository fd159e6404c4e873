"""What a queue's length and rates tell."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from aetherops.queue import estimate_wait_time, predict_queue_saturation, queue_health


def test_a_reading_has_the_utilization_and_what_was_measured() -> None:
    assert queue_health(1, 3, 12.5) == {
        "utilization": 0.3333,
        "healthy": True,
        "queue_size": 1,
        "avg_wait_s": 12.5,
    }


def test_a_queue_is_unhealthy_from_four_fifths_of_its_room() -> None:
    assert queue_health(79, 100, 0)["healthy"] is True
    assert queue_health(80, 100, 0)["healthy"] is False


def test_health_is_judged_by_the_utilization_as_reported() -> None:
    assert queue_health(79_999, 100_000, 0) == {
        "utilization": 0.8,
        "healthy": False,
        "queue_size": 79_999,
        "avg_wait_s": 0,
    }


def test_a_queue_is_unhealthy_from_five_minutes_of_waiting() -> None:
    assert queue_health(0, 100, 299.9)["healthy"] is True
    assert queue_health(0, 100, 300)["healthy"] is False


@pytest.mark.parametrize("max_size", [0, 1])
def test_no_room_counts_as_room_for_one(max_size: int) -> None:
    assert queue_health(0, max_size, 0)["utilization"] == 0.0
    assert queue_health(3, max_size, 0)["utilization"] == 3.0


def test_the_wait_is_the_size_over_the_rate() -> None:
    assert estimate_wait_time(10, 3) == 3.33
    assert estimate_wait_time(0, 3) == 0.0
    assert estimate_wait_time(10, 0.5) == 20.0


@pytest.mark.parametrize("rate", [0, -2.5])
def test_nothing_processed_means_waiting_for_ever(rate: float) -> None:
    assert estimate_wait_time(10, rate) == math.inf


def test_a_growing_queue_fills_at_its_net_rate() -> None:
    assert predict_queue_saturation(10, 100, 5, 2) == 30.0
    assert predict_queue_saturation(0, 10, 4, 1) == 3.33
    assert predict_queue_saturation(0, 10, 1, 0.5) == 20.0


@pytest.mark.parametrize("processing_rate", [5, 6])
def test_a_queue_that_does_not_grow_never_fills(processing_rate: float) -> None:
    assert predict_queue_saturation(10, 100, 5, processing_rate) == math.inf


@pytest.mark.parametrize("current_size", [100, 140])
@pytest.mark.parametrize("processing_rate", [1, 5, 9])
def test_a_full_queue_is_full_now_whatever_its_rates(
    current_size: int, processing_rate: float
) -> None:
    assert predict_queue_saturation(current_size, 100, 5, processing_rate) == 0.0


@given(st.integers(0, 10_000), st.integers(1, 10_000), st.floats(0.01, 1e4))
def test_after_the_predicted_time_the_queue_is_full(size: int, room: int, net_rate: float) -> None:
    seconds = predict_queue_saturation(size, room, net_rate, 0)
    assert seconds >= 0
    assert size + seconds * net_rate >= room - net_rate * 0.0051
