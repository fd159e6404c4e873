"""What the store in memory and the fold hold on to, whatever they are given."""

from datetime import UTC, datetime, timedelta

import pytest

from aetherops.workflow import (
    MemoryEventStore,
    MissingEventError,
    StepStarted,
    WorkflowCreated,
    WorkflowProjection,
)


async def test_recorded_times_grow_though_the_clock_stands_still_and_is_set_back() -> None:
    noon = datetime(2026, 1, 31, 12, tzinfo=UTC)
    clock = iter([noon, noon, noon - timedelta(hours=1)])
    store = MemoryEventStore(now=lambda: next(clock))
    stored = [await store.append(WorkflowCreated(name)) for name in "abc"]
    assert [event.recorded_at for event in stored] == [
        noon + timedelta(microseconds=i) for i in range(3)
    ]


@pytest.mark.parametrize("version", [1, 3])
def test_an_event_that_is_not_the_next_is_not_folded(version: int) -> None:
    projection = WorkflowProjection().apply(WorkflowCreated("w"))
    with pytest.raises(MissingEventError) as missing:
        projection.apply(StepStarted("w", version, step="s"))
    assert (missing.value.expected, missing.value.actual) == (2, version)
    assert projection.version == 1
    assert projection.state.steps == {}
