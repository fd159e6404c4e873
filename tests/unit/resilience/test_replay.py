"""Budgets, duplicates, buffers, and whether a replay told the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.resilience import ReplayBuffer, deduplicate, replay_budget, replay_converges

events = st.lists(
    st.fixed_dictionaries({"event_id": st.integers(0, 9), "value": st.integers(0, 3)})
)
distinct_events = st.lists(
    st.fixed_dictionaries({"event_id": st.integers() | st.text(), "value": st.integers()}),
    unique_by=lambda event: event["event_id"],
)


@pytest.mark.parametrize(
    ("waiting", "timeout_s", "budget"),
    [(100, 100, 90), (1000, 10, 108), (1, 100, 1), (7, 1, 6), (50, 0.01, 1), (11, 1, 9)],
)
def test_a_budget_is_nine_tenths_of_what_fits_and_at_least_one(
    waiting: int, timeout_s: float, budget: int
) -> None:
    assert replay_budget(waiting, timeout_s) == budget


@pytest.mark.parametrize(("waiting", "timeout_s"), [(0, 10), (-5, 10), (10, 0), (10, -1), (0, 0)])
def test_without_events_or_time_there_is_no_budget(waiting: int, timeout_s: float) -> None:
    assert replay_budget(waiting, timeout_s) == 0


def test_the_first_event_of_an_id_is_kept() -> None:
    first, second = {"event_id": "a", "n": 1}, {"event_id": "a", "n": 2}
    other = {"event_id": "b", "n": 3}
    assert deduplicate(iter([first, other, second, other])) == [first, other]


def test_events_without_an_id_all_pass() -> None:
    nameless: list[dict[str, Any]] = [{"n": 1}, {"n": 1}, {"event_id": None}, {"event_id": None}]
    assert deduplicate(nameless) == nameless


@given(events)
def test_deduplication_keeps_one_of_each_in_order_and_is_idempotent(
    arrived: list[dict[str, int]],
) -> None:
    kept = deduplicate(arrived)
    ids = [event["event_id"] for event in arrived]
    assert kept == [event for i, event in enumerate(arrived) if event["event_id"] not in ids[:i]]
    assert deduplicate(kept) == kept


@given(st.data(), distinct_events)
def test_any_order_of_the_same_events_converges(
    data: st.DataObject, original: list[dict[str, Any]]
) -> None:
    assert replay_converges(original, data.draw(st.permutations(original)))
    assert replay_converges(iter(original), iter(original))


@given(st.data(), distinct_events.filter(bool))
def test_one_changed_payload_diverges(data: st.DataObject, original: list[dict[str, Any]]) -> None:
    replayed = [dict(event) for event in data.draw(st.permutations(original))]
    data.draw(st.sampled_from(replayed))["value"] += 1
    assert not replay_converges(original, replayed)


@given(st.data(), distinct_events.filter(bool))
def test_a_lost_event_diverges(data: st.DataObject, original: list[dict[str, Any]]) -> None:
    replayed = list(original)
    replayed.remove(data.draw(st.sampled_from(original)))
    assert not replay_converges(original, replayed)
    assert not replay_converges(replayed, original)


def test_a_doubled_event_diverges() -> None:
    event = {"event_id": 1, "value": 1}
    assert not replay_converges([event], [event, event])
    assert replay_converges([event, event], [event, event])


@given(events, events)
def test_convergence_is_equality_after_a_stable_sort_by_id(
    original: list[dict[str, int]], replayed: list[dict[str, int]]
) -> None:
    def ordered(sequence: list[dict[str, int]]) -> list[dict[str, int]]:
        return sorted(sequence, key=lambda event: event["event_id"])

    assert replay_converges(original, replayed) is (ordered(original) == ordered(replayed))
    assert replay_converges(original, ordered(original))


def test_payloads_count_in_full() -> None:
    original = [{"event_id": 1, "payload": {"deep": [1, 2]}}]
    assert replay_converges(original, [{"event_id": 1, "payload": {"deep": [1, 2]}}])
    assert not replay_converges(original, [{"event_id": 1, "payload": {"deep": [2, 1]}}])
    assert not replay_converges(original, [{"event_id": 1}])


def test_nothing_converges_with_nothing() -> None:
    assert replay_converges([], [])
    assert not replay_converges([], [{"event_id": 1}])


def test_a_full_buffer_refuses_and_counts() -> None:
    buffer = ReplayBuffer(2)
    assert [buffer.append({"n": n}) for n in range(4)] == [True, True, False, False]
    assert (buffer.size(), buffer.dropped_count) == (2, 2)
    assert buffer.drain() == [{"n": 0}, {"n": 1}]
    assert buffer.append({"n": 5}) is True
    assert (buffer.size(), buffer.dropped_count) == (1, 2)


def test_what_is_drained_is_independent() -> None:
    buffer = ReplayBuffer()
    buffer.append({"n": 1})
    drained = buffer.drain()
    buffer.append({"n": 2})
    drained.append({"n": 3})
    assert buffer.drain() == [{"n": 2}]
    assert buffer.drain() == []


def test_a_thousand_events_are_kept_unless_said_otherwise() -> None:
    buffer = ReplayBuffer()
    assert all(buffer.append({"n": n}) for n in range(1000))
    assert not buffer.append({"n": 1000})


def test_a_capacity_is_not_negative() -> None:
    assert ReplayBuffer(0).append({}) is False
    with pytest.raises(InvalidInputError, match="capacity"):
        ReplayBuffer(-1)
