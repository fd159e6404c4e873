"""Events and their distance from a baseline."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.queue import EventBuffer


def test_the_baseline_is_the_mean_of_the_calls_values() -> None:
    buffer = EventBuffer()
    assert buffer.ingest([{"value": 1}, {"value": 2}]) == {"baseline": 1.5, "count": 2}
    assert buffer.drain() == [
        {"value": 1, "calibrated": -0.5},
        {"value": 2, "calibrated": 0.5},
    ]


def test_nothing_carries_over_to_the_next_call() -> None:
    buffer = EventBuffer()
    buffer.ingest([{"value": 1000}])
    assert buffer.ingest([{"value": 4}, {"value": 6}]) == {"baseline": 5.0, "count": 2}
    assert EventBuffer().ingest([{"value": 7}]) == {"baseline": 7.0, "count": 1}


def test_a_given_calibration_is_used_and_left_alone() -> None:
    buffer = EventBuffer()
    calibration = {"baseline": 10.0, "count": 99}
    used = buffer.ingest([{"value": 12.00006}], calibration)
    assert used == calibration == {"baseline": 10.0, "count": 99}
    assert used is not calibration
    assert buffer.drain()[0]["calibrated"] == 2.0001


def test_an_empty_calibration_is_filled_in_the_answer_alone() -> None:
    calibration: dict[str, float] = {}
    assert EventBuffer().ingest([{"value": 3}], calibration) == {"baseline": 3.0, "count": 1}
    assert calibration == {}


def test_numbers_of_numpy_are_numbers() -> None:
    buffer = EventBuffer()
    buffer.ingest([{"value": np.int64(1)}, {"value": np.float32(2)}, {"value": np.float64(0)}])
    assert [repr(event["calibrated"]) for event in buffer.drain()] == ["0.0", "1.0", "-1.0"]


def test_no_events_have_a_baseline_of_zero() -> None:
    buffer = EventBuffer()
    assert buffer.ingest([]) == {"baseline": 0.0, "count": 0}
    assert buffer.size() == 0


def test_events_are_copied_with_all_they_say() -> None:
    buffer = EventBuffer()
    event = {"value": 2.5, "source": "sat-7"}
    buffer.ingest(iter([event]))
    assert event == {"value": 2.5, "source": "sat-7"}
    assert buffer.drain() == [{"value": 2.5, "source": "sat-7", "calibrated": 0.0}]


def test_draining_empties_the_buffer() -> None:
    buffer = EventBuffer()
    buffer.ingest([{"value": 1}])
    assert buffer.size() == 1
    assert len(buffer.drain()) == 1
    assert (buffer.size(), buffer.drain()) == (0, [])


@given(st.integers(1, 20), st.lists(st.lists(st.integers(), max_size=30), max_size=5))
def test_a_full_buffer_keeps_the_newest(max_size: int, calls: list[list[int]]) -> None:
    buffer = EventBuffer(max_size)
    for values in calls:
        buffer.ingest({"value": value} for value in values)
    newest = [value for values in calls for value in values][-max_size:]
    assert [event["value"] for event in buffer.drain()] == newest


def test_five_hundred_events_are_kept_unless_said_otherwise() -> None:
    buffer = EventBuffer()
    buffer.ingest({"value": n} for n in range(501))
    assert buffer.size() == 500


@pytest.mark.parametrize("event", [{}, {"value": None}, {"value": "7"}])
def test_an_event_without_a_number_is_named_and_none_is_stored(event: dict[str, object]) -> None:
    buffer = EventBuffer()
    with pytest.raises(InvalidInputError) as caught:
        buffer.ingest([{"value": 1}, event])
    assert caught.value.field == "events[1].value"
    assert buffer.size() == 0


def test_a_buffer_has_room_for_one_at_least() -> None:
    with pytest.raises(InvalidInputError, match="max_size"):
        EventBuffer(0)
