"""Kept states are a shortcut: with them, without them and with spoilt ones answers are the same."""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
import random
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from aetherops.workflow import (
    ApprovalGranted,
    ApprovalRequested,
    ArtifactAttached,
    MemoryEventStore,
    OwnerAssigned,
    SnapshotTaken,
    StageAdvanced,
    StepCompleted,
    StepFailed,
    StepStarted,
    TimerSet,
    WorkflowCreated,
    WorkflowFailed,
    WorkflowMoved,
    WorkflowPaused,
    WorkflowProjection,
    WorkflowState,
    state_from_json,
    state_to_json,
)
from aetherops.workflow.snapshots.kept import MemorySnapshots, keep_state
from aetherops.workflow.snapshots.reading import SnapshotKeeper, StateReader

AT = datetime(2026, 5, 1, 12, 30, 0, 250, tzinfo=UTC)
TEXTS = st.text(st.characters(exclude_categories=["C"]), min_size=1, max_size=5)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=5,
)
STEPS = st.sampled_from(["ignite", "coast"])

#: What happens after the first event: any kind, also where the rules do not allow it.
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just(StepStarted), st.fixed_dictionaries({"step": STEPS})),
        st.tuples(st.just(StepCompleted), st.fixed_dictionaries({"step": STEPS, "result": JSON})),
        st.tuples(
            st.just(StepFailed),
            st.fixed_dictionaries(
                {"step": STEPS, "error": st.text(max_size=3), "retry_at": st.just(AT) | st.none()}
            ),
        ),
        st.tuples(st.just(WorkflowMoved), st.just({"source": "created", "target": "validated"})),
        st.tuples(st.just(WorkflowFailed), st.just({"error": "burn"})),
        st.tuples(st.just(WorkflowPaused), st.just({})),
        st.tuples(st.just(OwnerAssigned), st.fixed_dictionaries({"owner": TEXTS})),
        st.tuples(st.just(ApprovalRequested), st.just({"approval": "go", "until": AT})),
        st.tuples(st.just(ApprovalGranted), st.just({"approval": "go", "comment": "yes"})),
        st.tuples(st.just(TimerSet), st.just({"timer": "t", "due_at": AT})),
        st.tuples(st.just(ArtifactAttached), st.fixed_dictionaries({"key": TEXTS, "value": JSON})),
        st.tuples(st.just(StageAdvanced), st.just({"source": "planning", "target": "validation"})),
    ),
    max_size=30,
)
FIRSTS = st.sampled_from(
    [
        WorkflowCreated(workflow_id="w", name="raise", input={"delta_v": [1, 2.5]}),
        WorkflowCreated(workflow_id="w", form="mission"),
        SnapshotTaken(
            workflow_id="w",
            state=state_to_json(WorkflowState("w", status="review", created_at=AT)),
            source="WorkflowEngine",
        ),
    ]
)


async def stored(first, happenings):
    store = MemoryEventStore()
    await store.append(first)
    for version, (kind, payload) in enumerate(happenings, start=2):
        at = AT + timedelta(seconds=version)
        await store.append(kind(workflow_id="w", version=version, occurred_at=at, **payload))
    return store


@settings(deadline=None)
@given(FIRSTS, HAPPENINGS, st.integers(1, 7), st.data())
def test_with_and_without_kept_states_the_answers_are_the_same(first, happenings, every, data):
    async def compare():
        store, snapshots = await stored(first, happenings), MemorySnapshots()
        events = await store.get_events("w")
        kept_up_to = data.draw(st.integers(0, len(events)))
        await SnapshotKeeper(store, snapshots, every).keep("w", kept_up_to)
        for key in (
            data.draw(st.sets(st.sampled_from(sorted(snapshots.states))))
            if (snapshots.states)
            else ()
        ):
            spoil(snapshots, key, data.draw(st.sampled_from(SPOILING)))
        reader = StateReader(store, snapshots)
        assert (await reader.projection("w")).state == WorkflowProjection.of(events)
        cut = data.draw(st.integers(0, len(events)))
        expected = WorkflowProjection.of(events[:cut])
        assert (await reader.projection("w", cut)).state == expected
        if cut:
            instant = events[cut - 1].recorded_at
            assert (await reader.projection("w", instant)).state == expected

    asyncio.run(compare())


def spoil(snapshots, key, how):
    snapshots.states[key] = how(snapshots.states[key])


def _cut(kept):
    return dataclasses.replace(kept, data=kept.data[:-3])


def _altered(kept):
    text = zlib.decompress(kept.data).replace(b'"paused":false', b'"paused":true')
    return dataclasses.replace(kept, data=zlib.compress(text + b" "))


def _of_another_workflow(kept):
    state = dataclasses.replace(kept.state() or WorkflowState("w"), workflow_id="other")
    event = WorkflowCreated(workflow_id="other", event_id=kept.event_id)
    other = keep_state(state, event.recorded(kept.recorded_at, 1))
    return dataclasses.replace(other, workflow_id="w")


def _of_another_past(kept):
    event = WorkflowCreated(workflow_id="w").recorded(kept.recorded_at, 1)
    return keep_state(WorkflowState("w", version=kept.version, status="failed"), event)


SPOILING = [_cut, _altered, _of_another_workflow, _of_another_past]


@given(FIRSTS, HAPPENINGS)
@settings(deadline=None)
def test_a_kept_state_is_restored_as_it_was(first, happenings):
    async def compare():
        events = await (await stored(first, happenings)).get_events("w")
        state = WorkflowProjection.of(events)
        restored = keep_state(state, events[-1]).state()
        assert restored == state == state_from_json(state_to_json(state))
        assert repr(restored) == repr(state)

    asyncio.run(compare())


@pytest.mark.parametrize("how", SPOILING)
def test_what_is_spoilt_is_not_used(how):
    async def look():
        store = await stored(WorkflowCreated(workflow_id="w"), [(WorkflowPaused, {})] * 9)
        snapshots = MemorySnapshots()
        assert await SnapshotKeeper(store, snapshots, every=5).keep("w", 10) == 2
        for key in list(snapshots.states):
            spoil(snapshots, key, how)
        projection = await StateReader(store, snapshots).projection("w")
        assert projection.state == WorkflowProjection.of(await store.get_events("w"))

    asyncio.run(look())


def test_one_of_an_earlier_projection_is_not_used(monkeypatch):
    event = WorkflowCreated(workflow_id="w").recorded(AT, 1)
    kept = keep_state(WorkflowProjection.of([event]), event)
    assert kept.state() is not None
    monkeypatch.setattr("aetherops.workflow.snapshots.kept.PROJECTION_VERSION", 10**6)
    assert kept.state() is None


def test_reading_begins_at_the_last_kept_state():
    async def look():
        store = await stored(WorkflowCreated(workflow_id="w"), [(WorkflowPaused, {})] * 99)
        snapshots = MemorySnapshots()
        await SnapshotKeeper(store, snapshots, every=20).keep("w", 100)
        asked = []
        events = await store.get_events("w")

        class Asked:
            async def get_events(self, workflow_id, **bounds):
                asked.append(bounds)
                return await store.get_events(workflow_id, **bounds)

            async def replay(self, workflow_id, projection, *, until):
                asked.append({"from": projection.version, "until": until})
                return await store.replay(workflow_id, projection, until=until)

        reader = StateReader(Asked(), snapshots)
        assert (await reader.projection("w", events[54].recorded_at)).version == 55
        assert (await reader.projection("w", 45)).version == 45
        kept = {"after": 39, "until": 40}
        assert asked == [
            *(kept, {"from": 40, "until": events[54].recorded_at}),
            *(kept, {"from": 40, "until": 45}),
        ]

    asyncio.run(look())


def test_a_state_that_grows_is_kept_the_less_often():
    """All kept states of a workflow together stay within so many bytes an event."""

    async def look():
        noise = random.Random(1)
        happenings = [
            (ArtifactAttached, {"key": f"k{i}", "value": noise.randbytes(100).hex()})
            for i in range(1_000)
        ]
        store, snapshots = (
            await stored(WorkflowCreated(workflow_id="w"), happenings),
            MemorySnapshots(),
        )
        await SnapshotKeeper(store, snapshots, every=10).keep("w", 1_001)
        kept = sorted(version for _, _, version in snapshots.states)
        gaps = [after - before for before, after in itertools.pairwise(kept)]
        assert len(kept) > 3
        assert gaps == sorted(gaps)
        sizes = [len(one.data) for one in snapshots.states.values()]
        assert sum(sizes[:-1]) < 1_001 * 110

    asyncio.run(look())
