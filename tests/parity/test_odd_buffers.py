"""Kernels that read memory of others read all of it and no more, or refuse it: both alike."""

from __future__ import annotations

import random
from array import array
from importlib import import_module
from typing import Any

import pytest

from aetherops.errors import InvalidInputError

pytest.importorskip("aetherops.core._native.ratelimit.keyed_counters")

KINDS = {
    "bucket": ("bucket_counters", "BucketCounters", ([(1, 10, 100), (2, 30, 900)],)),
    "fixed": ("fixed_counters", "FixedCounters", (10, 100)),
    "strict": ("sliding_counters", "SlidingCounters", (10, 100, 3, True)),
    "interpolated": ("sliding_counters", "SlidingCounters", (10, 100, 3, False)),
}
NUMBERS = array("q", range(1, 9))
BUFFERS = [
    NUMBERS,
    memoryview(NUMBERS),
    memoryview(NUMBERS)[::2],
    memoryview(NUMBERS)[::-1],
    memoryview(NUMBERS)[3:3],
    memoryview(NUMBERS.tobytes()),
    memoryview(NUMBERS.tobytes()).cast("q"),
    memoryview(NUMBERS.tobytes()).cast("q", (2, 4)),
    memoryview(NUMBERS.tobytes()).cast("d"),
    memoryview(NUMBERS.tobytes()).cast("i"),
    array("Q", NUMBERS),
    array("i", NUMBERS),
    array("d", NUMBERS),
    bytearray(NUMBERS.tobytes()),
    NUMBERS.tobytes(),
    b"",
    None,
    7,
    "text",
    object(),
]


def repr_of(buffer: object) -> str:
    form = getattr(buffer, "format", "")
    return f"{type(buffer).__name__} {form} {getattr(buffer, 'strides', '')}"


def twins(kind: str) -> list[Any]:
    file, name, arguments = KINDS[kind]
    sides = (
        import_module(f"aetherops.core.{side}.ratelimit.{file}") for side in ("_pure", "_native")
    )
    return [getattr(side, name)(*arguments, max_keys=20, clock_ns=lambda: 10**9) for side in sides]


def outcome(counters: Any, method: str, *arguments: object) -> object:
    try:
        return getattr(counters, method)(*arguments)
    except InvalidInputError as error:
        return str(error).split(" at 0x")[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("keys", BUFFERS, ids=repr_of)
def test_a_batch_is_decided_or_refused(kind: str, keys: object) -> None:
    for costs in BUFFERS:
        pure, compiled = twins(kind)
        decided = [outcome(each, "allow_many", keys, costs) for each in (pure, compiled)]
        assert decided[0] == decided[1], costs
        assert pure.dump() == compiled.dump()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", BUFFERS, ids=repr_of)
@pytest.mark.parametrize("count", [0, 1, 2, 4, 21])
def test_rows_are_loaded_or_refused(kind: str, rows: object, count: int) -> None:
    pure, compiled = twins(kind)
    loaded = [outcome(each, "load", list(range(count)), rows) for each in (pure, compiled)]
    assert loaded[0] == loaded[1]
    assert pure.dump() == compiled.dump()


@pytest.mark.parametrize("kind", KINDS)
def test_rows_of_any_numbers_leave_answers_alike(kind: str) -> None:
    rng = random.Random(kind)
    accepted = 0
    for _ in range(400):
        pure, compiled = twins(kind)
        count = rng.randrange(4)
        most = rng.choice([2, 100, 2**40, 2**63 - 1])
        numbers = [rng.randrange(-1, most) for _ in range(count * pure.row_width)]
        rows = bytearray(array("q", numbers).tobytes())
        elapsed = rng.choice([0, 50, 2**60])
        loaded = [
            outcome(each, "load", list(range(count)), rows, elapsed) for each in (pure, compiled)
        ]
        assert loaded[0] == loaded[1]
        accepted += count > 0 and loaded[0] is None
        for key in range(4):
            assert pure.admit(key, 3) == compiled.admit(key, 3)
        assert pure.dump() == compiled.dump()
    assert accepted > 10


def test_counters_are_made_once() -> None:
    for kind in KINDS:
        _, compiled = twins(kind)
        compiled.allow("k")
        with pytest.raises((TypeError, InvalidInputError)):
            compiled.__init__(*KINDS[kind][2], 10)
        with pytest.raises((TypeError, InvalidInputError)):
            compiled.__init__([(1, 1, 1)] * 16, 0)
        assert compiled.admit("k")


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_that_was_never_made_answers_nothing_harmful(kind: str) -> None:
    bare = type(twins(kind)[1]).__new__(type(twins(kind)[1]))
    assert not bare.allow("k", 1, 5)
    assert len(bare) == 0
    limiter = import_module("aetherops.core._native.ratelimit.keyed_limiter").KeyedLimiter
    with pytest.raises(AttributeError):
        limiter.__new__(limiter).allow("k")


def kernels() -> list[Any]:
    from aetherops.resilience.breakers.states import encode_transitions

    made = []
    for side in ("_pure", "_native"):
        breaker = import_module(f"aetherops.core.{side}.resilience.breaker")
        window = import_module(f"aetherops.core.{side}.resilience.outcomes").TimeOutcomes(10, 4)
        arguments = (5, 0.5, 0.5, 50, 10, 2, 1, 1000, 500)
        made.append(breaker.BreakerKernel(encode_transitions(), window, *arguments))
    return made


@pytest.mark.parametrize("trigger", [-1, 14, 1000, -(2**31), 2**31 - 1])
def test_a_trigger_that_is_none_is_refused(trigger: int) -> None:
    for kernel in kernels():
        with pytest.raises(InvalidInputError, match="trigger"):
            kernel.move(trigger, 0)


@pytest.mark.parametrize("state", [-1, 3, 255, 2**31 - 1])
def test_a_state_that_is_none_is_refused(state: int) -> None:
    for kernel in kernels():
        with pytest.raises(InvalidInputError, match="state"):
            kernel.restore(state, 0, 0, 0, 0, 0, 0, [], 0, 0)


@pytest.mark.parametrize("away_ns", [-1, -(10**12)])
def test_a_window_that_was_saved_in_the_future_is_refused(away_ns: int) -> None:
    for kernel in kernels():
        with pytest.raises(InvalidInputError, match="away_ns"):
            kernel.window.restore([(1, 1, 0)], 10**6, away_ns)


@pytest.mark.parametrize("table", [b"", bytes(41), bytes(43), b"\3" + bytes(41), b"\xfe" * 42])
def test_a_table_that_names_no_state_is_refused(table: bytes) -> None:
    for kernel in kernels():
        with pytest.raises(InvalidInputError, match="transitions"):
            type(kernel)(table, None, 5, 0.5, 0.5, 50, 10, 2, 1, 1000, 500)


def test_a_trigger_that_the_table_forbids_moves_nothing() -> None:
    for kernel in kernels():
        still = type(kernel)(b"\xff" * 42, None, 1, 2.0, 2.0, 0, 1, 1, 1, 1000, 500)
        still.settle(0, 0, 1, 5)
        assert (still.state, still.generation, still.take_move()) == (0, 0, None)
