"""A decision may be asked for in the middle of another one of its own thread; none is lost."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from importlib import import_module

import pytest

pytest.importorskip("aetherops.core._native.ratelimit.keyed_counters")

LIMIT = 40
KINDS = {
    "BucketCounters": ([(1, 10**9, LIMIT * 10**9)],),
    "FixedCounters": (LIMIT, 10**9),
    "SlidingCounters": (LIMIT, 10**9, 8, True),
}
FILES = {
    "BucketCounters": "bucket_counters",
    "FixedCounters": "fixed_counters",
    "SlidingCounters": "sliding_counters",
}


@pytest.fixture(params=["_pure", "_native"])
def module(request):
    return lambda file: import_module(f"aetherops.core.{request.param}.ratelimit.{file}")


@pytest.fixture(params=list(KINDS))
def make(request, module):
    kind = getattr(module(FILES[request.param]), request.param)
    return lambda **options: kind(*KINDS[request.param], **options)


@pytest.mark.parametrize("key", ["key", 7])
def test_a_clock_may_ask_the_table_that_reads_it(make, key):
    answers, depth = [], 0

    def clock_ns():
        nonlocal depth
        if depth == 0:
            depth += 1
            answers.append(counters.allow(key))
            depth -= 1
        return 10**9

    counters = make(clock_ns=clock_ns)
    answers.extend([counters.allow(key) for _ in range(LIMIT)])
    assert sum(answers) == counters.granted_total == LIMIT
    assert counters.inspect(key)[2] == 0


class Cycle:
    """Garbage that acts when it is collected."""

    def __init__(self, act):
        self.act, self.me = act, self

    def __del__(self):
        self.act()


@pytest.mark.parametrize("act", ["allow", "refund", "reset", "clear"])
def test_what_a_finaliser_does_in_the_middle_of_a_decision_is_kept(make, act):
    counters = make(max_keys=3, clock_ns=lambda: 10**9)
    threshold = gc.get_threshold()
    answers = []

    def asked_by_finaliser():
        if act == "allow":
            answers.append(counters.allow("key"))
        else:
            getattr(counters, act)(*() if act == "clear" else ("key",))

    try:
        gc.set_threshold(1)
        for turn in range(300):
            Cycle(asked_by_finaliser)
            answers.append(counters.allow("key"))
            counters.allow(turn)
            counters.dump()
            counters.remainders()
    finally:
        gc.set_threshold(*threshold)
        gc.collect()
    if act == "allow":
        assert sum(answers) == LIMIT
    assert sorted(map(str, counters.keys())) == sorted(map(str, counters.dump()[0]))
    assert all(key in counters for key in counters.dump()[0])


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="no such signals")
def test_a_signal_handler_may_decide_and_nothing_is_granted_twice(make):
    counters = make(clock_ns=lambda: 10**9)
    rounds, answers = 0, []

    def handle(*_):
        answers.append(counters.allow("key"))
        answers.append(counters.allow(7))

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    try:
        while rounds < 300:
            handle()
            if counters.inspect("key")[2] == counters.inspect(7)[2] == 0:
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
                assert sum(answers) == 2 * LIMIT
                rounds += 1
                answers.clear()
                counters.clear()
                signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_limits_that_change_beside_decisions_destroy_no_credit(module):
    capacity = 10**5
    slow, fast = [(1, 10**6, 10**6 * capacity)], [(10**3, 10**6, 10**6 * capacity)]
    counters = module("bucket_counters").BucketCounters(slow, clock_ns=lambda: 10**15)
    stopped = threading.Event()

    def change():
        while not stopped.is_set():
            counters.set_tiers(fast)
            counters.set_tiers(slow)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=change)
    thread.start()
    try:
        granted = sum(counters.allow("key") for _ in range(20_000))
    finally:
        stopped.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert granted + counters.inspect("key")[2] == capacity


def test_a_subclass_decides_in_the_place_of_its_limiter(module):
    counters = module("bucket_counters").BucketCounters([(1, 1, 1)])

    class Closed(module("keyed_limiter").KeyedLimiter):
        def allow(self, key, cost=1, now_us=None):
            return False

    assert Closed(counters).allow("key") is False
    assert module("keyed_limiter").KeyedLimiter(counters).allow("key") is True


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_child_forked_while_a_thread_decides_decides_too(module):
    held, released = threading.Event(), threading.Event()

    def clock_ns():
        if threading.current_thread() is not threading.main_thread():
            held.set()
            released.wait()
        return 10**9

    counters = module("bucket_counters").BucketCounters([(1, 1, 2**60)], clock_ns=clock_ns)
    thread = threading.Thread(target=counters.allow, args=("key",))
    thread.start()
    held.wait()
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        os._exit(0 if counters.allow("key") else 1)
    released.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
