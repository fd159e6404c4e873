"""Arguments at the edge: both twins of limiters and breakers give one answer, or one error."""

from __future__ import annotations

import copy
import ctypes
import math
import weakref
from array import array
from importlib import import_module

import pytest

from aetherops.errors import InvalidInputError
from aetherops.resilience.breakers.states import encode_transitions

pytest.importorskip("aetherops.core._native.ratelimit.keyed_counters")

SIDES = ["_pure", "_native"]


@pytest.fixture(params=SIDES)
def core(request):
    return lambda name: import_module(f"aetherops.core.{request.param}.{name}")


def bucket(core, **options):
    return core("ratelimit.bucket_counters").BucketCounters([(1, 1, 3)], **options)


@pytest.mark.parametrize("reading", [1e9, math.inf, math.nan, None, "1", 2**63, 2**70, -(2**70)])
@pytest.mark.parametrize("key", ["key", 7])
def test_a_clock_that_shows_no_whole_nanoseconds_is_an_error(core, reading, key):
    counters = bucket(core, clock_ns=lambda: reading)
    with pytest.raises(InvalidInputError, match="clock_ns"):
        counters.allow(key)


def test_a_clock_that_began_before_zero_stands_still_until_then(core):
    counters = bucket(core, clock_ns=lambda: -5_000)
    assert [counters.allow("key") for _ in range(4)] == [True, True, True, False]


@pytest.mark.parametrize("share", [array("q", [1]), [], 0, "x"])
def test_whether_overflow_is_shared_is_what_the_value_is_worth(core, share):
    counters = bucket(core, max_keys=1, share_overflow=share, clock_ns=lambda: 0)
    counters.allow("first")
    assert counters.allow("second") is bool(share)


NUMBERS = [1, 2, -(2**63), 2**63 - 1, 1]


@pytest.mark.parametrize(
    "keys",
    [
        array("q", NUMBERS),
        (ctypes.c_int64 * 5)(*NUMBERS),
        memoryview(array("q", [n for n in NUMBERS for _ in range(2)]))[::2],
        NUMBERS,
    ],
    ids=["array", "ctypes", "strided", "list"],
)
def test_int64_of_any_buffer_are_keys_and_costs(core, keys):
    counters = bucket(core, clock_ns=lambda: 0)
    assert counters.allow_many(keys) == bytes([1] * 5)
    assert counters.keys() == NUMBERS[:4]
    costs = (ctypes.c_int64 * 2)(2, 3)
    assert counters.allow_many([5, 6], costs) == bytes([1, 1])
    assert counters.inspect(6)[2] == 0


def kernel(core):
    numbers = (3, 2.0, 2.0, 0, 10, 2, 2, 10**9, 10**9)
    return core("resilience.breaker").BreakerKernel(encode_transitions(), None, *numbers)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_a_breaker_is_not_copied(core, copied):
    with pytest.raises(TypeError, match="neither copied nor pickled"):
        copied(kernel(core))


def guard(core, breaker=None):
    def refuse(state, wait_ns):
        return ConnectionRefusedError(state)

    arguments = (lambda: 5, lambda *_: 1, False, lambda: None, refuse)
    return core("resilience.guards").CallGuard(breaker or kernel(core), *arguments)


def test_guarded_functions_can_be_referred_to_weakly(core):
    async def fetch():
        """Fetch."""

    for kind in ("guard_function", "guard_coroutine_function"):
        guarded = getattr(core("resilience.guards"), kind)(guard(core), fetch)
        assert weakref.ref(guarded)() is guarded


def run(coroutine):
    """Its result, where it never waits."""
    with pytest.raises(StopIteration) as ended:
        coroutine.send(None)
    return ended.value.value


def test_what_is_called_to_await_is_called_under_the_permit(core):
    breaker, calls = kernel(core), []

    class Started:
        def __await__(self):
            return iter(())

    def start(*arguments, **named):
        calls.append((arguments, named))
        return Started()

    calling = guard(core, breaker).call_async(start, (1,), {"two": 2})
    assert calls == []
    run(calling)
    assert calls == [((1,), {"two": 2})]
    assert breaker.successes == 1
    breaker.move(7, 5)  # tripped
    with pytest.raises(ConnectionRefusedError):
        guard(core, breaker).call_async(start, (), {}).send(None)
    assert len(calls) == 1
    assert breaker.refused == 1


def test_a_function_that_fails_before_it_gives_something_to_await_has_failed(core):
    breaker = kernel(core)

    def fail():
        raise OSError("no")

    calling = guard(core, breaker).call_async(fail, (), {})
    with pytest.raises(OSError, match="no"):
        calling.send(None)
    assert breaker.failures == 1
    with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
        calling.send(None)


def test_a_call_that_was_closed_or_thrown_into_before_it_began_calls_nothing(core):
    closed, thrown = (guard(core).call_async(pytest.fail, (), {}) for _ in range(2))
    closed.close()
    with pytest.raises(KeyError):
        thrown.throw(KeyError("k"))
    for ended in (closed, thrown):
        with pytest.raises(RuntimeError, match="cannot reuse already awaited coroutine"):
            ended.throw(KeyError("k"))


@pytest.mark.filterwarnings("error::pytest.PytestUnraisableExceptionWarning")
def test_a_call_that_is_never_awaited_is_warned_of(core):
    guarding = guard(core)
    with pytest.warns(RuntimeWarning, match="was never awaited"):
        guarding.call_async(pytest.fail, (), {})
