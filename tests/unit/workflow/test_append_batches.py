"""Micro-batches of appends: who goes with whom, and what each caller is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from uuid import UUID

import pytest

from aetherops.errors import UnavailableError
from aetherops.workflow import ConcurrencyError, WorkflowCreated, uuid7
from aetherops.workflow.appends import Append
from aetherops.workflow.postgres.batching import (
    MAX_APPENDS,
    MAX_BATCH_BYTES,
    AppendBatcher,
    Outcome,
)


class _Writer:
    """Notes the batches that it gets, and holds each until it may go."""

    def __init__(self, answer: Callable[[Append], Outcome] = lambda a: list(a.events)) -> None:
        self.batches: list[list[str]] = []
        self.may_go = asyncio.Event()
        self.answer = answer

    async def __call__(self, batch: Sequence[Append]) -> list[Outcome]:
        self.batches.append([append.workflow_id for append in batch])
        await self.may_go.wait()
        return [self.answer(append) for append in batch]


def _append(workflow_id: str, size: int = 2, event_id: UUID | None = None) -> Append:
    event = WorkflowCreated(workflow_id, event_id=event_id or uuid7())
    return Append(workflow_id, 0, None, [event], [b"x" * size])


def _submit(batcher: AppendBatcher, *appends: Append) -> list[asyncio.Task[object]]:
    return [asyncio.create_task(batcher.submit(append)) for append in appends]


async def _sent(writer: _Writer, *tasks: asyncio.Task[object]) -> list[list[str]]:
    writer.may_go.set()
    await asyncio.wait(tasks)
    return writer.batches


async def test_what_comes_while_a_batch_is_on_its_way_is_the_next_batch() -> None:
    writer = _Writer()
    batcher = AppendBatcher(writer)
    first = _submit(batcher, _append("a"))
    while not writer.batches:
        await asyncio.sleep(0)
    rest = _submit(batcher, _append("b"), _append("c"))
    await asyncio.sleep(0)
    assert await _sent(writer, *first, *rest) == [["a"], ["b", "c"]]


async def test_a_batch_has_a_bound_of_appends_and_of_bytes() -> None:
    writer = _Writer()
    many = _submit(AppendBatcher(writer), *(_append(f"w{i}") for i in range(MAX_APPENDS + 1)))
    assert [len(b) for b in await _sent(writer, *many)] == [MAX_APPENDS, 1]

    writer = _Writer()
    half = MAX_BATCH_BYTES // 2
    sizes = {"a": half, "b": half, "c": 1, "huge": 3 * MAX_BATCH_BYTES, "d": 1}
    large = _submit(AppendBatcher(writer), *(_append(name, n) for name, n in sizes.items()))
    assert await _sent(writer, *large) == [["a", "b"], ["c"], ["huge"], ["d"]]


async def test_a_workflow_and_an_event_id_stand_in_a_batch_once_and_keep_their_order() -> None:
    writer = _Writer()
    one = uuid7()
    appends = [_append("a"), _append("a"), _append("b", event_id=one), _append("c", event_id=one)]
    tasks = _submit(AppendBatcher(writer), *appends, _append("c"), _append("a"), _append("d"))
    assert await _sent(writer, *tasks) == [["a", "b", "d"], ["a", "c"], ["c", "a"]]


async def test_each_caller_is_told_its_own_outcome() -> None:
    refusal = ConcurrencyError("b", 0, 7)
    writer = _Writer(lambda a: refusal if a.workflow_id == "b" else list(a.events))
    tasks = _submit(AppendBatcher(writer), *map(_append, "abc"))
    await _sent(writer, *tasks)
    assert [task.exception() for task in tasks] == [None, refusal, None]


async def test_an_error_of_a_batch_is_told_to_all_of_it_and_the_next_goes_on() -> None:
    broken = UnavailableError("postgres")

    def answer(append: Append) -> Outcome:
        if append.workflow_id == "a":
            raise broken
        return list(append.events)

    writer = _Writer(answer)
    batcher = AppendBatcher(writer)
    tasks = _submit(batcher, _append("a"), _append("b"), _append("a"))
    await _sent(writer, *tasks)
    assert [task.exception() for task in tasks] == [broken, broken, broken]
    [after] = _submit(batcher, _append("c"))
    await asyncio.wait([after])
    assert after.exception() is None


async def test_whatever_ends_the_sending_nobody_waits_for_ever() -> None:
    writer = _Writer()
    batcher = AppendBatcher(writer)
    tasks = _submit(batcher, _append("a"), _append("a"))
    while not writer.batches:
        await asyncio.sleep(0)
    [sending] = [t for t in asyncio.all_tasks() if "_send_all" in repr(t.get_coro())]
    sending.cancel()
    await asyncio.wait(tasks)
    assert [type(task.exception()) for task in tasks] == [UnavailableError, UnavailableError]
    writer.may_go.set()
    assert len(await batcher.submit(_append("b"))) == 1


async def test_a_caller_that_left_before_its_turn_is_not_sent() -> None:
    writer = _Writer()
    batcher = AppendBatcher(writer)
    tasks = _submit(batcher, _append("a"), _append("a"), _append("b"))
    while not writer.batches:
        await asyncio.sleep(0)
    tasks[1].cancel()
    assert await _sent(writer, *tasks) == [["a", "b"]]


async def test_a_closed_batcher_sends_what_waits_and_takes_no_more() -> None:
    writer = _Writer()
    batcher = AppendBatcher(writer)
    tasks = _submit(batcher, _append("a"), _append("a"))
    await asyncio.sleep(0)
    closing = asyncio.create_task(batcher.close())
    await asyncio.sleep(0)
    with pytest.raises(UnavailableError):
        await batcher.submit(_append("b"))
    assert await _sent(writer, closing) == [["a"], ["a"]]
    assert all(task.done() for task in tasks)
