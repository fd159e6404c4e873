"""The commonest decision of the pure token bucket is written out; it decides as the others do."""

import threading
import time

from aetherops.core._pure.ratelimit.bucket_counters import BucketCounters


def test_a_clock_that_goes_back_grants_nothing_twice(clock):
    counters = BucketCounters([(1, 10**6, 2 * 10**6)], clock_ns=clock)
    assert counters.allow("k")
    clock.advance(-1)
    assert counters.allow("k")
    clock.advance(1.5)
    assert not counters.allow("k")


def test_a_bucket_that_fills_at_once_stays_exact(clock):
    counters = BucketCounters([(2**60, 2**59, 2**60)], clock_ns=clock)
    for _ in range(3):
        assert [counters.allow("k") for _ in range(3)] == [True, True, False]
        clock.advance(3600)


def test_who_finds_another_inside_waits_for_it(clock):
    counters = BucketCounters([(1, 10**6, 10**6)], clock_ns=clock)
    assert counters.allow("k")
    token = counters._gate.pop()
    answers = []
    waiting = [
        threading.Thread(target=lambda: answers.append(counters.allow("k"))),
        threading.Thread(target=lambda: answers.append(counters.admit("k")[0])),
    ]
    for thread in waiting:
        thread.start()
    time.sleep(0.02)
    assert answers == []
    counters._gate.append(token)
    for thread in waiting:
        thread.join()
    assert answers == [False, False]
