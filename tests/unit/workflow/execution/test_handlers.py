"""Whatever a handler does, its attempt has an outcome, and nothing else is disturbed."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from aetherops.workflow.execution import Failed, StepContext, Succeeded, perform

CONTEXT = StepContext("w", "upload", 2, 3, {"burn": 1}, {"plan": "p"})


async def outcome(handler: Any, timeout_s: float = 30.0) -> Any:
    return await perform(handler, CONTEXT, timeout_s)


async def test_a_coroutine_function_is_awaited_and_a_function_runs_in_a_thread() -> None:
    async def here(context: StepContext) -> str:
        return threading.current_thread().name

    def there(context: StepContext) -> str:
        return threading.current_thread().name

    assert await outcome(here) == Succeeded(threading.current_thread().name)
    assert await outcome(there) == Succeeded("step upload")


async def test_a_handler_is_told_what_it_does() -> None:
    told = await outcome(lambda context: [context.step, context.attempt, context.epoch])
    assert told == Succeeded(["upload", 2, 3])


def test_the_key_of_a_step_is_that_of_no_other() -> None:
    key = CONTEXT.idempotency_key
    assert key == StepContext("w", "upload", 9, 9, None, {}).idempotency_key
    assert (
        StepContext("a/b", "c", 1, 1, None, {}).idempotency_key
        != StepContext("a", "b/c", 1, 1, None, {}).idempotency_key
    )


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("no fuel"), "ValueError: no fuel"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (asyncio.CancelledError(), "CancelledError"),
        (TimeoutError("its own"), "TimeoutError: its own"),
        (ValueError("a\x00b\ud800"), "ValueError: a\\x00b\\ud800"),
    ],
)
async def test_what_a_handler_raises_is_told(error: BaseException, told: str) -> None:
    async def here(_: StepContext) -> None:
        raise error

    assert await outcome(here) == Failed(told)
    if not isinstance(error, asyncio.CancelledError):

        def there(_: StepContext) -> None:
            raise error

        assert await outcome(there) == Failed(told)


async def test_an_error_without_words_is_told_by_its_name() -> None:
    class MuteError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def raises(_: StepContext) -> None:
        raise MuteError

    assert await outcome(raises) == Failed("MuteError: (its words cannot be had)")


async def test_a_handler_that_hangs_fails_when_its_time_is_over() -> None:
    let_go = threading.Event()

    async def here(_: StepContext) -> None:
        await asyncio.Event().wait()

    assert await outcome(here, 0.01) == Failed("took longer than 0.01 s")
    assert await outcome(lambda _: let_go.wait(30), 0.01) == Failed("took longer than 0.01 s")
    let_go.set()


@pytest.mark.parametrize("value", [object(), {1: 2}, float("nan"), b"bytes", 2**70])
async def test_what_cannot_be_stored_is_final(value: object) -> None:
    told = await outcome(lambda _: value)
    assert told.is_final
    assert told.error.startswith("returned what cannot be stored: InvalidInputError: result")


async def test_a_value_that_holds_itself_cannot_be_stored() -> None:
    ring: list[object] = []
    ring.append(ring)
    assert (await outcome(lambda _: ring)).is_final


async def test_who_cancels_an_attempt_gets_no_outcome() -> None:
    begun = asyncio.Event()

    async def here(_: StepContext) -> None:
        begun.set()
        await asyncio.Event().wait()

    attempt = asyncio.create_task(outcome(here))
    await begun.wait()
    attempt.cancel()
    with pytest.raises(asyncio.CancelledError):
        await attempt
