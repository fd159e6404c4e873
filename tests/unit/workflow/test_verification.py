"""Replay validation using resilience.replay_converges() for consistency checks."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from aetherops.parts.replay_check import DIVERGED_SUBJECT, ReplayCheck
from aetherops.resilience import replay_converges
from aetherops.services.workflow_condition import WorkflowCondition
from aetherops.workflow import (
    MemoryEventStore,
    StepCompleted,
    StepStarted,
    WorkflowCreated,
    WorkflowEvent,
    WorkflowNotFoundError,
    WorkflowProjection,
)
from aetherops.workflow.snapshots.kept import MemorySnapshots, keep_state
from aetherops.workflow.verification import WorkflowVerifier, replay_records


async def _a_long_history(store: MemoryEventStore, workflow_id: str = "w", n: int = 1_200) -> None:
    steps: list[WorkflowEvent] = [WorkflowCreated(workflow_id, input={"dv": [1.5, None]})]
    while len(steps) < n:
        name = f"s{len(steps)}"
        steps.append(StepStarted(workflow_id, len(steps) + 1, step=name))
        steps.append(StepCompleted(workflow_id, len(steps) + 1, step=name, result={"i": name}))
    await store.append_many(steps)


class _Altered(MemoryEventStore):
    """A store that lost its faith: readings of whole histories differ from those of pieces."""

    change: Any = None

    async def get_events(
        self, workflow_id: str, *, after: int = 0, until: int | datetime | None = None
    ) -> list[WorkflowEvent]:
        events = await super().get_events(workflow_id, after=after, until=until)
        return events if until is None else self.change(events)


def _other_payload(events: list[WorkflowEvent]) -> list[WorkflowEvent]:
    return [replace(e, step="x") if e.version == 2 else e for e in events]


def _other_order(events: list[WorkflowEvent]) -> list[WorkflowEvent]:
    ids = [e.event_id for e in events]
    if len(ids) > 2:
        ids[1], ids[2] = ids[2], ids[1]
    return [replace(e, event_id=i) for e, i in zip(events, ids, strict=True)]


async def test_replay_validation_using_resilience_replay_converges_for_consistency_checks() -> None:
    """What is stored converges, and stays apart from another payload, order or state."""
    store = MemoryEventStore()
    await _a_long_history(store, n=9)
    events = await store.get_events("w")
    states = {9: WorkflowProjection.of(events)}
    stored = replay_records(events, states)
    assert replay_converges(stored, replay_records(await store.get_events("w"), states))
    assert (await WorkflowVerifier(store).verify("w")).converges
    for other in (_other_payload(events), _other_order(events)):
        assert not replay_converges(stored, replay_records(other, states))
    assert not replay_converges(stored, replay_records(events, {9: replace(states[9], owner="x")}))


async def test_a_replay_of_what_is_stored_converges() -> None:
    store = MemoryEventStore()
    await _a_long_history(store)
    found = await WorkflowVerifier(store, MemorySnapshots()).verify("w")
    assert found.converges
    assert (found.version, found.divergences, found.irregular) == (1_201, [], ())


@pytest.mark.parametrize("change", [_other_payload, _other_order])
async def test_another_payload_or_order_is_found(change: Any) -> None:
    store = _Altered()
    store.change = change
    await _a_long_history(store)
    found = await WorkflowVerifier(store).verify("w")
    assert not found.converges
    assert (found.divergences[0].what, found.divergences[0].version) == ("event", 2)


async def test_a_kept_state_that_events_do_not_say_is_found() -> None:
    store, snapshots = MemoryEventStore(), MemorySnapshots()
    await _a_long_history(store)
    events = await store.get_events("w", until=800)
    wrong = replace(WorkflowProjection.of(events), owner="nobody")
    await snapshots.keep([keep_state(wrong, events[-1])])
    found = await WorkflowVerifier(store, snapshots).verify("w")
    assert not found.converges
    assert [(one.what, one.version) for one in found.divergences] == [("state", 1_201)]


async def test_records_of_a_replay_are_what_replay_converges_compares() -> None:
    store = MemoryEventStore()
    await _a_long_history(store, n=3)
    events = await store.get_events("w")
    state = WorkflowProjection.of(events)
    assert replay_converges(replay_records(events, {3: state}), replay_records(events, {3: state}))
    assert not replay_converges(
        replay_records(events, {3: state}), replay_records(events, {3: replace(state, owner="x")})
    )


async def test_a_workflow_without_events_cannot_be_verified() -> None:
    with pytest.raises(WorkflowNotFoundError):
        await WorkflowVerifier(MemoryEventStore()).verify("nobody")


class _Bus:
    def __init__(self) -> None:
        self.heard: list[tuple[str, Mapping[str, object]]] = []

    async def publish(self, subject: str, event: Mapping[str, object]) -> None:
        self.heard.append((subject, event))


async def test_the_check_tells_a_divergence_once_as_event_metric_and_log_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store, bus = _Altered(), _Bus()
    store.change = _other_payload
    await _a_long_history(store, n=30)
    condition = WorkflowCondition()
    check = ReplayCheck(
        store,
        WorkflowVerifier(store),
        bus,
        condition=condition,
        period_s=0.01,
        sample=5,
        chance=random.Random(1),
    )

    bus_publish = bus.publish

    async def publish(subject: str, event: Mapping[str, object]) -> None:
        await bus_publish(subject, event)
        check.stop()

    bus.publish = publish  # type: ignore[method-assign]
    await check.run()
    assert [subject for subject, _ in bus.heard] == [DIVERGED_SUBJECT]
    assert bus.heard[0][1]["workflow_id"] == "w"
    assert condition.divergences == 1
    assert "replay_diverged" in capsys.readouterr().out
