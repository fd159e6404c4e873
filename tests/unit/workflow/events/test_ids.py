"""UUIDs of version 7 by RFC 9562: their fields, their order, threads and forks."""

from __future__ import annotations

import os
import threading
import time
from uuid import RFC_4122

from hypothesis import given, strategies as st

from aetherops.workflow import uuid7

LATEST_NS = ((1 << 48) - 1) * 1_000_000 + 999_999


def milliseconds(identifier) -> int:
    return identifier.int >> 80


def test_the_fields_are_those_of_the_rfc():
    identifier = uuid7(1_645_557_742_000 * 1_000_000)  # the example of RFC 9562, appendix A.6
    assert str(identifier).startswith("017f22e2-79b0-7")
    assert (identifier.version, identifier.variant) == (7, RFC_4122)


@given(st.integers(0, LATEST_NS))
def test_every_instant_of_48_bits_can_be_read_back(unix_ns):
    identifier = uuid7(unix_ns)
    assert milliseconds(identifier) == unix_ns // 1_000_000
    assert (identifier.version, identifier.variant) == (7, RFC_4122)
    fraction = identifier.int >> 64 & 0xFFF
    assert fraction == (unix_ns % 1_000_000 << 12) // 1_000_000


@given(st.integers(0, LATEST_NS), st.integers(245, 10**12))
def test_identifiers_sort_by_time_to_a_quarter_of_a_microsecond(unix_ns, later_ns):
    earlier, later = uuid7(unix_ns), uuid7(min(unix_ns + later_ns, LATEST_NS))
    if unix_ns + later_ns <= LATEST_NS:
        assert earlier < later
        assert str(earlier) < str(later)
        assert earlier.bytes < later.bytes


def test_without_an_instant_it_is_now():
    before = time.time_ns() // 1_000_000
    identifier = uuid7()
    assert before <= milliseconds(identifier) <= time.time_ns() // 1_000_000


def test_identifiers_of_one_instant_differ():
    assert len({uuid7(0) for _ in range(10_000)}) == 10_000


def test_threads_get_different_identifiers():
    made: list[object] = []

    def make() -> None:
        made.extend([uuid7(0) for _ in range(2_000)])

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8_000


def test_a_forked_process_goes_on_with_identifiers_of_its_own():
    uuid7()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, b"".join(uuid7(0).bytes for _ in range(100)))
        os._exit(0)
    os.waitpid(child, 0)
    theirs = os.read(reading, 1600)
    os.close(reading)
    os.close(writing)
    theirs = {theirs[i : i + 16] for i in range(0, 1600, 16)}
    assert len(theirs) == 100
    assert theirs.isdisjoint({uuid7(0).bytes for _ in range(100)})
