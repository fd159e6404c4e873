"""Events reach JetStream in order, at least once, whatever dies meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from aetherops.connections.nats import Nats
from aetherops.parts.workflow_publisher import WorkflowPublisher
from aetherops.services.workflow_condition import WorkflowCondition
from aetherops.workflow import (
    KINDS,
    EventCodec,
    MemoryEventStore,
    StepStarted,
    WorkflowCreated,
    WorkflowEvent,
    event_kind,
)
from aetherops.workflow.jetstream import JetStreamPublisher, prepare_workflow_stream
from aetherops.workflow.publication import PublishedAheadError, event_document, subject_of

pytestmark = pytest.mark.integration


@pytest_asyncio.fixture
async def publisher(guarded_nats: Nats) -> AsyncIterator[JetStreamPublisher]:
    await prepare_workflow_stream(guarded_nats, 64 << 20)
    yield JetStreamPublisher(guarded_nats)


async def _events(store: MemoryEventStore, workflow_id: str, n: int) -> None:
    events: list[WorkflowEvent] = [WorkflowCreated(workflow_id)]
    events += [StepStarted(workflow_id, v, step=f"s{v}") for v in range(2, n + 1)]
    await store.append_many(events)


async def _published(nats: Nats, n: int, subject: str = "aetherops.workflows.*") -> list[dict]:
    subscription = await nats.js.subscribe(subject, ordered_consumer=True)
    messages = [await subscription.next_msg(timeout=20) for _ in range(n)]
    await subscription.unsubscribe()
    return [json.loads(message.data) for message in messages]


async def _publish(
    store: MemoryEventStore, publisher: JetStreamPublisher, position: int, **options: Any
) -> int:
    """Run a part until everything up to a position is published; how much it published itself."""
    condition = WorkflowCondition()
    part = WorkflowPublisher(store, publisher, condition=condition, **options)
    running = asyncio.create_task(part.run())
    async with asyncio.timeout(30):
        while condition.published_position < position:
            await asyncio.sleep(0.01)
    part.stop()
    await running
    return condition.published_events


async def test_events_are_published_in_order_with_their_ids(
    guarded_nats: Nats, publisher: JetStreamPublisher
) -> None:
    store = MemoryEventStore()
    await _events(store, "burn 7.*>é", 700)
    await _publish(store, publisher, 700, appended=store.appended)
    documents = await _published(guarded_nats, 700, subject_of("burn 7.*>é"))
    assert [d["position"] for d in documents] == list(range(1, 701))
    [first] = await store.get_events("burn 7.*>é", until=1)
    assert documents[0] == json.loads(json.dumps(event_document(first), default=_as_json))
    message = await guarded_nats.js.get_msg("WORKFLOWS", 1)
    assert message.headers["Nats-Msg-Id"] == str(first.event_id)


def _as_json(value: object) -> str:
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


async def test_publishers_that_race_publish_each_event_once(
    guarded_nats: Nats, publisher: JetStreamPublisher
) -> None:
    store = MemoryEventStore()
    await _events(store, "w", 3_000)
    published = await asyncio.gather(
        *(_publish(store, JetStreamPublisher(guarded_nats), 3_000) for _ in range(3))
    )
    info = await guarded_nats.js.stream_info("WORKFLOWS")
    assert (info.state.messages, info.state.last_seq) == (3_000, 3_000)
    assert sum(published) == 3_000


async def test_an_event_published_again_after_the_window_of_message_ids_is_not_stored_twice(
    guarded_nats: Nats, publisher: JetStreamPublisher
) -> None:
    store = MemoryEventStore()
    await _events(store, "w", 5)
    config = (await guarded_nats.js.stream_info("WORKFLOWS")).config
    config.duplicate_window = 0.1  # seconds; the least that JetStream takes
    await guarded_nats.js.update_stream(config)
    events = await store.read_from(0)
    assert await publisher.publish(events) == 5
    await asyncio.sleep(0.5)  # by now the ids alone would tell nothing
    assert await publisher.publish(events) == 0
    assert await publisher.last_position() == 5


async def test_a_stream_made_anew_has_every_event_again(
    guarded_nats: Nats, publisher: JetStreamPublisher
) -> None:
    store = MemoryEventStore()
    await _events(store, "w", 10)
    await _publish(store, publisher, 10)
    await guarded_nats.js.delete_stream("WORKFLOWS")
    await prepare_workflow_stream(guarded_nats, 64 << 20)
    await _publish(store, publisher, 10)
    assert [d["version"] for d in await _published(guarded_nats, 10)] == list(range(1, 11))


async def test_a_consumer_that_restarts_goes_on_after_its_last_acknowledgement(
    guarded_nats: Nats, publisher: JetStreamPublisher
) -> None:
    store = MemoryEventStore()
    await _events(store, "w", 6)
    await _publish(store, publisher, 6)
    seen: list[int] = []
    for _ in range(2):
        consumer = await guarded_nats.js.pull_subscribe("aetherops.workflows.*", durable="reader")
        for message in await consumer.fetch(3, timeout=10):
            seen.append(json.loads(message.data)["position"])
            await message.ack_sync()
        await consumer.unsubscribe()
    assert seen == [1, 2, 3, 4, 5, 6]


async def test_a_database_that_is_behind_what_was_published_is_told_and_nothing_is_published(
    guarded_nats: Nats, publisher: JetStreamPublisher, capsys: pytest.CaptureFixture[str]
) -> None:
    published_from, restored = MemoryEventStore(), MemoryEventStore()
    await _events(published_from, "w", 10)
    await _events(restored, "w", 4)
    await _publish(published_from, publisher, 10)
    part = WorkflowPublisher(restored, publisher)
    running = asyncio.create_task(part.run())
    async with asyncio.timeout(10):
        while "publication_paused" not in (out := capsys.readouterr().out):
            await asyncio.sleep(0.05)
    assert str(PublishedAheadError(10, 4)) in out
    part.stop()
    await running
    assert await publisher.last_position() == 10


async def test_an_event_that_this_version_cannot_read_is_told_and_left_to_one_that_can(
    publisher: JetStreamPublisher, capsys: pytest.CaptureFixture[str]
) -> None:
    @event_kind("step.skipped")
    @dataclass(frozen=True, kw_only=True)
    class StepSkipped(WorkflowEvent):
        """Of a version to come."""

    store = MemoryEventStore(EventCodec({**KINDS, "step.skipped": StepSkipped}))
    await store.append_many([WorkflowCreated("w"), StepSkipped("w", 2)])
    store._codec = EventCodec()  # as the version that runs beside it reads them
    part = WorkflowPublisher(store, publisher)
    running = asyncio.create_task(part.run())
    async with asyncio.timeout(10):
        while "publication_paused" not in (out := capsys.readouterr().out):
            await asyncio.sleep(0.05)
    assert "step.skipped" in out
    part.stop()
    await running
