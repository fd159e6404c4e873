"""Queues by weight, priority and arrival, each held to a plain list that does the same."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from aetherops.errors import InvalidInputError
from aetherops.queue import DrainableQueue, PriorityQueue, QueueItem, WeightedQueue

severities = st.integers(0, 5)
waits_s = st.integers(0, 2000)


def drained(queue: WeightedQueue) -> list[str]:
    return [item.ticket_id for item in iter(queue.pop, None)]


def test_the_most_urgent_ticket_comes_first() -> None:
    queue = WeightedQueue()
    queue.push("minor", 1, 30)
    queue.push("severe", 4, 0)
    queue.push("waiting", 2, 660)  # 20 + 22 beats 40
    assert drained(queue) == ["waiting", "severe", "minor"]


def test_an_item_tells_what_was_pushed() -> None:
    queue = WeightedQueue()
    queue.push("T-1", 3, 120)
    assert queue.pop() == QueueItem(ticket_id="T-1", severity=3, wait_seconds=120)
    assert queue.pop() is None


def test_waiting_counts_for_fifteen_minutes_at_most() -> None:
    queue = WeightedQueue()
    queue.push("first", 2, 900)
    queue.push("an hour", 2, 3600)
    queue.push("severe", 5.1, 0)  # 51 beats 20 + 30
    assert drained(queue) == ["severe", "first", "an hour"]


def test_pressure_is_the_mean_of_severity_and_uncapped_waiting() -> None:
    queue = WeightedQueue()
    assert queue.pressure() == 0.0
    queue.push("a", 3, 120)
    queue.push("b", 2, 60)
    assert queue.pressure() == 6.0
    queue.push("c", 0, 3600)
    assert queue.pressure() == 10.6667
    queue.pop()
    assert queue.size() == 2
    assert queue.pressure() == 12.3667  # the ticket of 30 + 4 is gone, 20 + 2 and 0 + 30 wait


class WeightedModel(RuleBasedStateMachine):
    """A list that is searched for its most urgent, earliest ticket."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = WeightedQueue()
        self.waiting: list[tuple[str, int, int]] = []
        self.pushed = 0

    @rule(severity=severities, wait_s=waits_s)
    def push(self, severity: int, wait_s: int) -> None:
        self.pushed += 1
        self.queue.push(f"T-{self.pushed}", severity, wait_s)
        self.waiting.append((f"T-{self.pushed}", severity, wait_s))

    @rule()
    def pop(self) -> None:
        item = self.queue.pop()
        if not self.waiting:
            assert item is None
            return
        most_urgent = max(self.waiting, key=lambda one: one[1] * 10 + min(one[2], 900) / 30)
        self.waiting.remove(most_urgent)
        assert item == QueueItem(*most_urgent)

    @invariant()
    def size_and_pressure_agree(self) -> None:
        assert self.queue.size() == len(self.waiting)
        parts = [severity * 2.2 + wait_s / 180 for _, severity, wait_s in self.waiting]
        total = 0.0
        for part in parts:
            total += part
        assert self.queue.pressure() == (round(total / len(parts), 4) if parts else 0.0)


TestWeightedQueueAgainstAList = WeightedModel.TestCase


class PriorityModel(RuleBasedStateMachine):
    """A list that is searched for its highest, earliest priority."""

    def __init__(self) -> None:
        super().__init__()
        self.queue = PriorityQueue()
        self.waiting: list[dict[str, Any]] = []
        self.pushed = 0

    def highest(self) -> dict[str, Any] | None:
        # max() gives the first of equals.
        return max(self.waiting, key=lambda one: one["priority"]) if self.waiting else None

    @rule(priority=st.integers(-3, 3) | st.floats(-3, 3))
    def enqueue(self, priority: float) -> None:
        self.pushed += 1
        self.queue.enqueue(f"id-{self.pushed}", priority, {"n": self.pushed})
        entry = {"id": f"id-{self.pushed}", "priority": priority, "data": {"n": self.pushed}}
        self.waiting.append(entry)

    @rule()
    def dequeue(self) -> None:
        expected = self.highest()
        assert self.queue.dequeue() == expected
        if expected is not None:
            self.waiting.remove(expected)

    @invariant()
    def peek_and_size_agree(self) -> None:
        assert self.queue.peek() == self.highest()
        assert self.queue.size() == len(self.waiting)


TestPriorityQueueAgainstAList = PriorityModel.TestCase


def test_equal_priorities_keep_their_order() -> None:
    queue = PriorityQueue()
    for name in ("a", "b", "c"):
        queue.enqueue(name, 1)
    queue.enqueue("urgent", 2)
    assert [queue.dequeue()["id"] for _ in range(4)] == ["urgent", "a", "b", "c"]  # type: ignore[index]


def test_entries_need_not_be_comparable() -> None:
    queue = PriorityQueue()
    queue.enqueue("a", 1, {"payload": object()})
    queue.enqueue("a", 1, {"payload": object()})
    assert queue.size() == 2


def test_data_is_optional() -> None:
    queue = PriorityQueue()
    queue.enqueue("a", 7)
    assert queue.peek() == {"id": "a", "priority": 7, "data": None}


def test_changing_what_peek_shows_changes_no_entry() -> None:
    queue = PriorityQueue()
    queue.enqueue("a", 7)
    shown = queue.peek()
    assert shown is not None
    shown["priority"] = 0
    assert queue.dequeue() == {"id": "a", "priority": 7, "data": None}


def test_nan_has_no_place_in_an_order() -> None:
    with pytest.raises(InvalidInputError, match="priority"):
        PriorityQueue().enqueue("a", math.nan)
    with pytest.raises(InvalidInputError, match="severity"):
        WeightedQueue().push("a", math.nan, 0)


@given(st.lists(st.integers() | st.integers(0, 6).map(lambda n: ("drain", n)), max_size=60))
def test_a_drainable_queue_is_first_in_first_out(steps: list[int | tuple[str, int]]) -> None:
    queue: DrainableQueue[int] = DrainableQueue()
    model: list[int] = []
    for step in steps:
        if isinstance(step, tuple):
            assert queue.drain_batch(step[1]) == model[: step[1]]
            model = model[step[1] :]
        else:
            queue.push(step)
            model.append(step)
        assert queue.size() == len(model)
        assert queue.peek() == (model[0] if model else None)


def test_a_batch_is_independent_of_the_queue() -> None:
    queue: DrainableQueue[str] = DrainableQueue()
    queue.push("a")
    batch = queue.drain_batch(10)
    batch.append("b")
    assert queue.size() == 0


def test_a_negative_batch_is_refused() -> None:
    queue: DrainableQueue[str] = DrainableQueue()
    queue.push("a")
    with pytest.raises(InvalidInputError, match="count"):
        queue.drain_batch(-1)
    assert queue.size() == 1
