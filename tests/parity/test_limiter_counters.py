"""Both twins of the limiter counters give the same answers and state through any history."""

from __future__ import annotations

import random
import sys
from array import array
from importlib import import_module

import pytest

from aetherops.errors import InvalidInputError

pytest.importorskip("aetherops.core._native.ratelimit.keyed_counters")

BUCKETS = [
    [(1, 1, 1)],
    [(3, 7, 7 * 5)],
    [(1, 10**4, 10**6)],
    [(10**6, 1, 2**60)],
    [(2**60, 1, 2**60)],
    [(1, 2**59, 2**60)],
    [(1, 10**5, 10**6), (1, 36 * 10**5, 36 * 10**7)],
    [(5, 3, 30), (2, 9, 900), (1, 1, 50)],
]
WINDOWS = [(1, 1, 1), (7, 1000, 3), (50, 10**6, 8), (2**20, 10**7, 64), (3, 3, 64)]
COUNTERS = [
    *(("BucketCounters", (tiers,)) for tiers in BUCKETS),
    *(("FixedCounters", window[:2]) for window in WINDOWS),
    *(("SlidingCounters", (*window, strict)) for window in WINDOWS for strict in (False, True)),
]
FILES = {
    "BucketCounters": "bucket_counters",
    "FixedCounters": "fixed_counters",
    "SlidingCounters": "sliding_counters",
}


def twins(kind):
    """The pure and the compiled class."""
    for side in ("_pure", "_native"):
        yield getattr(import_module(f"aetherops.core.{side}.ratelimit.{FILES[kind]}"), kind)


def pair(kind, arguments, **options):
    return [twin(*arguments, **options) for twin in twins(kind)]


def outcome(call, *arguments):
    try:
        return call(*arguments)
    except InvalidInputError as error:
        return type(error), str(error)


def assert_same_state(twin, compiled):
    now_us = 2**60
    assert twin.remainders(now_us) == compiled.remainders(now_us)
    assert twin.dump(now_us) == compiled.dump(now_us)
    assert twin.granted_total == compiled.granted_total
    assert twin.refused_total == compiled.refused_total


def a_change(rng, kind, arguments):
    """Other limits for counters of a kind."""
    if kind != "BucketCounters":
        return max(arguments[0] * rng.randrange(1, 2000) // 1000, 1)
    factor = rng.randrange(1, 2000)
    return [
        (gain, price, min(max(capacity * factor // 1000, price), 2**60))
        for gain, price, capacity in arguments[0]
    ]


def a_step(rng, kind, arguments, now_us, keys):
    """A random operation: (method, arguments)."""
    key = rng.choice(keys)
    cost = rng.choice([1, 1, 1, 2, 3, rng.randrange(1, 100), 2**60])
    die = rng.randrange(20)
    if die < 14:
        return rng.choice(["allow", "admit", "inspect"]), (key, cost, now_us)
    if die < 16:
        return "refund", (key, cost, now_us)
    if die == 16:
        return "reset", (key,)
    if die == 17:
        changed = a_change(rng, kind, arguments)
        if kind == "BucketCounters":
            return "set_tiers", (changed, now_us)
        return "set_limit", (changed,)
    if die == 18 and kind == "BucketCounters":
        return "reserve", (key, cost, rng.choice([0, 10**5, 10**9, 2**70]), now_us)
    return "allow_many", (rng.choices(keys, k=5), rng.choices([1, 2, 3], k=5), now_us)


@pytest.mark.parametrize("share_overflow", [False, True])
@pytest.mark.parametrize(("kind", "arguments"), COUNTERS)
def test_any_history_gives_the_same_answers_and_state(kind, arguments, share_overflow):
    rng = random.Random(f"{kind}{arguments}{share_overflow}")
    for max_keys in (1, 2, 5, 200):
        counters = pair(kind, arguments, max_keys=max_keys, share_overflow=share_overflow)
        keys = [f"client {i}" for i in range(90)] + list(range(-5, 5))
        now_us = 10**9
        for _ in range(1500):
            now_us = max(now_us + rng.choice([0, 0, 1, 37, 10**4, 10**7, -(10**5)]), 0)
            method, values = a_step(rng, kind, arguments, now_us, keys)
            answers = [outcome(getattr(c, method), *values) for c in counters]
            assert answers[0] == answers[1], (method, values)
        assert counters[0].keys() == counters[1].keys()
        assert_same_state(*counters)


@pytest.mark.parametrize(
    ("kind", "arguments", "decisions"),
    [
        ("BucketCounters", ([(3, 10**5, 10**6)],), 7_000_000),
        ("FixedCounters", (40, 10**6), 1_000_000),
        ("SlidingCounters", (40, 10**6, 4, False), 1_000_000),
        ("SlidingCounters", (40, 10**6, 4, True), 1_000_000),
    ],
)
def test_millions_of_decisions_with_clocks_going_both_ways_never_differ(kind, arguments, decisions):
    rng = random.Random(20)
    twin, compiled = pair(kind, arguments, max_keys=5_000)
    batch = 50_000
    now_us = 10**12
    for _ in range(decisions // batch):
        now_us += rng.randrange(-(10**5), 3 * 10**5)
        keys = array("q", (int(4_000 * rng.random() ** 3) for _ in range(batch // 10)))
        keys *= 10
        costs = array("q", rng.choices([1, 1, 1, 2, 5, 41], k=batch))
        assert twin.allow_many(keys, costs, now_us) == compiled.allow_many(keys, costs, now_us)
    assert_same_state(twin, compiled)
    assert twin.granted_total + twin.refused_total == decisions
    assert min(twin.granted_total, twin.refused_total) > decisions // 20


@pytest.mark.parametrize(("kind", "arguments"), COUNTERS)
def test_state_is_exchanged_between_the_twins(kind, arguments):
    twin, compiled = pair(kind, arguments)
    for i in range(500):
        twin.allow(f"key {i % 90}", 1 + i % 3, now_us=1_000 + i)
    keys, rows = twin.dump(now_us=2_000)
    compiled.load(keys, rows, elapsed_us=7, now_us=50)
    again = pair(kind, arguments)[0]
    again.load(*compiled.dump(now_us=50), now_us=90)
    for i in range(500):
        step = (f"key {i % 95}", 1 + i % 3, 100 + i)
        assert compiled.admit(*step[:2], step[2] - 40) == again.admit(*step)


BAD_CALLS = [
    ("allow", (1.5,)),
    ("allow", (None,)),
    ("allow", (2**63,)),
    ("allow", (-(2**63) - 1,)),
    ("allow", (b"bytes",)),
    ("allow", ("k", 0)),
    ("allow", ("k", -1)),
    ("allow", ("k", 2**60 + 1)),
    ("allow", ("k", 2**80)),
    ("allow", ("k", 1.0)),
    ("allow", ("k", 1, -1)),
    ("allow", ("k", 1, 2**60 + 1)),
    ("allow", ("k", 1, 0.5)),
    ("admit", (("tuple",),)),
    ("inspect", ("k", "cost")),
    ("refund", (object,)),
    ("reset", ([],)),
    ("allow_many", ("text",)),
    ("allow_many", (b"text",)),
    ("allow_many", (7,)),
    ("allow_many", (["a", 1.0],)),
    ("allow_many", (["a", "b"], [1])),
    ("allow_many", (["a", "b"], [1, 0])),
    ("allow_many", (array("q", [1, 2]), array("q", [1, -4]))),
    ("allow_many", (array("q", [1, 2]), 0)),
    ("allow_many", (array("d", [1, 2]),)),
    ("load", (["a"], b"")),
    ("load", (["a"] * 11, bytes(8 * 11))),
]
BAD_ROWS = {
    "BucketCounters": [[-1, 0], [2**61, 0], [0, 2**61], [0, -(2**61)]],
    "FixedCounters": [[-1, 0], [2**61, 0], [0, -1], [0, 2**61]],
    "SlidingCounters": [
        [-1, 0, 0, 0, 0, 0, 0],
        [0, -1, 0, 0, 0, 0, 0],
        [0, 1, 0, 0, -1, 0, 0],
        [0, 1, 0, 0, 2**61, 0, 0],
    ],
}
SMALL = {
    "BucketCounters": ([(1, 10, 100)],),
    "FixedCounters": (10, 100),
    "SlidingCounters": (10, 100, 1, True),
}
BAD_KIND_CALLS = [
    ("BucketCounters", "reserve", ("k", 0, 5)),
    ("BucketCounters", "set_tiers", ([(1, 1, 1), (1, 1, 1)],)),
    ("BucketCounters", "set_tiers", ([(0, 1, 1)],)),
    ("FixedCounters", "set_limit", (0,)),
    ("SlidingCounters", "set_limit", (2**60,)),
    *((kind, *call) for kind in SMALL for call in BAD_CALLS),
    *(
        (kind, "load", (["a"], array("q", row).tobytes()))
        for kind, rows in BAD_ROWS.items()
        for row in rows
    ),
    *((kind, "load", (["a", "a"], bytes(16 * len(BAD_ROWS[kind][0])))) for kind in SMALL),
]


def test_rows_of_an_interpolated_window_must_agree_on_the_grid():
    for counters in pair("SlidingCounters", (10, 100, 1, False), clock_ns=lambda: 50_000):
        with pytest.raises(InvalidInputError, match="rows"):
            counters.load(["a", "b"], array("q", [5, 1, 0, 7, 1, 0]).tobytes())
        assert len(counters) == 0
        counters.load(["a", "b"], array("q", [5, 1, 0, 105, 1, 0]).tobytes())


@pytest.mark.parametrize(("kind", "method", "arguments"), BAD_KIND_CALLS)
def test_bad_input_raises_the_same_error_and_changes_nothing(kind, method, arguments):
    counters = pair(kind, SMALL[kind], max_keys=10, clock_ns=lambda: 50_000)
    for each in counters:
        each.allow("kept", 3, 10)
    before = counters[0].dump(50)
    errors = [outcome(getattr(each, method), *arguments) for each in counters]
    assert errors[0] == errors[1]
    assert errors[0][0] is InvalidInputError
    for each in counters:
        assert each.dump(50) == before


@pytest.mark.parametrize(
    ("kind", "arguments"),
    [
        ("BucketCounters", ([],)),
        ("BucketCounters", ([(1, 1, 1)] * 17,)),
        ("BucketCounters", ([(0, 1, 1)],)),
        ("BucketCounters", ([(1, 2, 1)],)),
        ("BucketCounters", ([(1, 1, 2**60 + 1)],)),
        ("BucketCounters", ([(1, 1, 1)], 0)),
        ("BucketCounters", ([(1, 1, 1)], 2**31)),
        ("FixedCounters", (0, 1)),
        ("FixedCounters", (1, 0)),
        ("FixedCounters", (1, 2**60)),
        ("FixedCounters", (1.5, 10)),
        ("SlidingCounters", (1, 10, 0, True)),
        ("SlidingCounters", (1, 10, 65, True)),
        ("SlidingCounters", (2**60, 10, 5, False)),
        ("SlidingCounters", (1, 10, 2.5, False)),
    ],
)
def test_bad_limits_are_refused_alike(kind, arguments):
    errors = [outcome(twin, *arguments) for twin in twins(kind)]
    assert errors[0] == errors[1]
    assert errors[0][0] is InvalidInputError


@pytest.mark.parametrize("kind", SMALL)
def test_keys_of_other_types_are_taken_as_text_and_integers(kind):
    class Name(str):
        __slots__ = ()

    for counters in pair(kind, SMALL[kind]):
        assert counters.allow(Name("a"), 10, 0)
        assert not counters.allow("a", 1, 0)
        assert counters.allow(True, 10, 0)
        assert not counters.allow(1, 1, 0)
        assert counters.keys() == ["a", 1]
        assert list(map(type, counters.keys())) == [str, int]
        assert "a" in counters
        assert 1.0 not in counters


@pytest.mark.parametrize(("kind", "arguments"), COUNTERS)
def test_both_tell_the_limits_they_were_given(kind, arguments):
    for counters in pair(kind, arguments, max_keys=7):
        told = counters.tiers if kind == "BucketCounters" else counters.limit
        assert told == (tuple(arguments[0]) if kind == "BucketCounters" else arguments[0])
        assert counters.max_keys == 7
        counters.allow("k", 1, 5)
        assert len(counters.dump(5)[1]) == 8 * counters.row_width


@pytest.mark.parametrize("kind", SMALL)
def test_the_twins_offer_the_same_names(kind):
    pure, native = ({n for n in dir(twin) if not n.startswith("_")} for twin in twins(kind))
    assert native == pure


@pytest.mark.parametrize("kind", SMALL)
def test_counters_that_were_never_set_up_refuse_without_harm(kind):
    _, native = twins(kind)
    counters = native.__new__(native)
    counters.clear()
    assert not counters.allow("k", 1, 5)
    assert counters.admit("k", 1, 5)[0] is False
    assert counters.inspect("k", 1, 5)[2] == 0
    assert counters.allow_many(["a", 1], 1, 5) == b"\0\0"


@pytest.mark.parametrize("kind", SMALL)
def test_no_key_is_leaked(kind):
    for twin in twins(kind):
        counters = twin(*SMALL[kind], max_keys=3)
        keys = ["".join(["key ", str(i)]) for i in range(6)]
        before = [sys.getrefcount(key) for key in keys]
        counters.allow_many(keys, 10, 5)
        counters.reset(keys[0])
        counters.allow_many(keys, 1, 10**6)
        counters.load([keys[1]], counters.dump()[1][: 8 * counters.row_width])
        with pytest.raises(InvalidInputError):
            counters.load([keys[2], keys[2]], bytes(16 * counters.row_width))
        counters.clear()
        assert [sys.getrefcount(key) for key in keys] == before
        counters.allow_many(keys, 10, 10**9)
        del counters
        assert [sys.getrefcount(key) for key in keys] == before
