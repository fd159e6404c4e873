"""Kernels that read memory of others read all of it and no more, or refuse it: both alike."""

from __future__ import annotations

import ctypes
import mmap
import random
from array import array
from importlib import import_module
from multiprocessing import RawArray
from typing import Any

import pytest

from aetherops.aggregation.columns import float64_column, int64_column
from aetherops.errors import InvalidInputError
from aetherops.telemetry import moving_average

pytest.importorskip("aetherops.core._native.ratelimit.keyed_counters")

KINDS = {
    "bucket": ("bucket_counters", "BucketCounters", ([(1, 10, 100), (2, 30, 900)],)),
    "fixed": ("fixed_counters", "FixedCounters", (10, 100)),
    "strict": ("sliding_counters", "SlidingCounters", (10, 100, 3, True)),
    "interpolated": ("sliding_counters", "SlidingCounters", (10, 100, 3, False)),
}
NUMBERS = array("q", range(1, 9))


def mapped(data: bytes) -> mmap.mmap:
    memory = mmap.mmap(-1, len(data))
    memory.write(data)
    return memory


# As ctypes exports them: without strides, with a byte order in the format.
FOREIGN = [
    (ctypes.c_int64 * 8)(*NUMBERS),
    (ctypes.c_int64 * 1)(7),
    (ctypes.c_int64 * 0)(),
    RawArray("q", NUMBERS.tolist()),
    memoryview(RawArray("q", NUMBERS.tolist()))[::2],
    ((ctypes.c_int64 * 4) * 2)(),
    (ctypes.c_double * 8)(*NUMBERS),
    (ctypes.c_double * 1)(7.0),
    (ctypes.c_double * 0)(),
    RawArray("d", NUMBERS.tolist()),
    memoryview(RawArray("d", NUMBERS.tolist()))[::-1],
    ((ctypes.c_double * 4) * 2)(),
    (ctypes.c_uint64 * 8)(*NUMBERS),
    (ctypes.c_int32 * 8)(*NUMBERS),
    (ctypes.c_float * 8)(*NUMBERS),
    (ctypes.c_char * 64)(),
    (ctypes.c_char_p * 8)(),
    ctypes.c_int64(7),
    ctypes.c_double(7.0),
    mapped(NUMBERS.tobytes()),
    memoryview(mapped(NUMBERS.tobytes())).cast("q"),
    memoryview(mapped(NUMBERS.tobytes())).cast("d"),
    memoryview(NUMBERS.tobytes()[:8]).cast("q", ()),
    memoryview(NUMBERS.tobytes()[:8]).cast("d", ()),
]
BUFFERS = [
    *FOREIGN,
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
    *(array(typecode, NUMBERS) for typecode in "bBhHILlf"),
    array("u", "text"),
    bytearray(NUMBERS.tobytes()),
    NUMBERS.tobytes(),
    b"",
    None,
    7,
    "text",
    object(),
]


def repr_of(buffer: object) -> str:
    form = buffer.format if isinstance(buffer, memoryview) else ""
    return f"{type(buffer).__name__} {form} {getattr(buffer, 'strides', '')}"


# What the kernels of aggregation read numbers from: once, as a column, and as times.
READERS: dict[str, Any] = {
    "Moments": lambda core, buffer: core.BlockMoments(buffer).summary(),
    "Accumulator": lambda core, buffer: accumulated(core, buffer),
    "Buckets": lambda core, buffer: core.Buckets(3).push_many(buffer),
    "find_anomalies": lambda core, buffer: core.find_anomalies(buffer, 4.0, 1.0, 2.0),
    "rolling_columns": lambda core, buffer: core.rolling_columns(buffer, 3),
    "ewma": lambda core, buffer: core.ewma(buffer, 0.5, 4),
    "median_runs": lambda core, buffer: core.median_runs(array("d", NUMBERS), buffer),
    "times": lambda core, buffer: core.time_runs(buffer, 3, 0, 0, 9, False, 9),
}


def accumulated(core: Any, buffer: object) -> Any:
    accumulator = core.Accumulator([], nan_policy="propagate", retains=True)
    accumulator.push_many(buffer)
    return core.accumulator_state(accumulator), core.anomalies_of(accumulator, 4.0, 1.0, 2.0)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("buffer", BUFFERS, ids=repr_of)
def test_numbers_are_read_or_refused(compare: Any, cores: Any, reader: str, buffer: object) -> None:
    native, pure = (compare.outcome(READERS[reader], core, buffer) for core in cores)
    assert native == pure


@pytest.mark.parametrize("source", [ctypes.c_double * 3, lambda *values: RawArray("d", values)])
def test_shared_memory_is_read_as_an_array(cores: Any, source: Any) -> None:
    for core in cores:
        moments = core.BlockMoments(source(1.0, 2.0, 6.0))
        assert moments.summary() == (3, 3.0, 14.0, 1.0, 6.0, 1.0, 6.0)
        assert core.ewma(source(1.0, 2.0, 6.0), 1.0, None).tolist() == [1.0, 2.0, 6.0]


def test_public_functions_take_shared_memory() -> None:
    shared = RawArray("d", [1.0, 2.0, 6.0])
    assert list(float64_column(shared)) == [1.0, 2.0, 6.0]
    assert list(float64_column((ctypes.c_double * 0)())) == []
    assert list(int64_column(RawArray("q", [1, 2]))) == [1, 2]
    assert moving_average(shared, 2) == [1.0, 1.5, 4.0]


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
