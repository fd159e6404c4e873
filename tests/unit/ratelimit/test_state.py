"""State survives restarts, in bytes and in JSON, whatever the clocks did meanwhile."""

import json
import sys
import zlib
from array import array

import pytest

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import (
    BucketLimit,
    FixedWindowLimiter,
    LimiterState,
    Rate,
    SlidingWindowLimiter,
    TokenBucket,
    WindowLimit,
)

SAVED_US = 1_800_000_000_000_000


def build(kind, clock):
    return {
        "bucket": lambda: TokenBucket(10, 2, clock_ns=clock),
        "two": lambda: TokenBucket(10, 2, also=[BucketLimit(50, Rate.of(1))], clock_ns=clock),
        "fixed": lambda: FixedWindowLimiter(10, 5, clock_ns=clock),
        "strict": lambda: SlidingWindowLimiter(10, 5, clock_ns=clock),
        "interpolated": lambda: SlidingWindowLimiter(10, 5, mode="interpolated", clock_ns=clock),
    }[kind]()


KINDS = ["bucket", "two", "fixed", "strict", "interpolated"]
FORMS = {
    "bytes": lambda state: LimiterState.from_bytes(state.to_bytes()),
    "json": lambda state: LimiterState.from_json(state.to_json()),
}


def used(kind, clock):
    limiter = build(kind, clock)
    for i in range(40):
        clock.advance(0.13)
        limiter.allow(f"ключ {i % 7}", 1 + i % 3)
        limiter.allow(i % 5 - 2, 2)
    return limiter


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("away_s", [0, 0.7, 3.21, 1000])
def test_a_restored_limiter_answers_as_if_it_had_never_stopped(kind, form, away_s, clock):
    limiter = used(kind, clock)
    state = FORMS[form](limiter.state(SAVED_US))
    after = type(clock)()
    after.ns = 77_123_000  # the machine was started again: its monotonic clock is another one
    restored = build(kind, after)
    restored.restore(state, SAVED_US + round(away_s * 1e6))
    clock.advance(away_s)
    for step in range(60):
        clock.advance(0.11)
        after.advance(0.11)
        key = f"ключ {step % 7}" if step % 2 else step % 5 - 2
        assert restored.decide(key, 1 + step % 4) == limiter.decide(key, 1 + step % 4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wall_clock_that_was_set_back_credits_nothing(kind, clock):
    limiter = used(kind, clock)
    restored = build(kind, clock)
    restored.restore(limiter.state(SAVED_US), SAVED_US - 3600 * 10**6)
    keys = limiter.keys()
    assert keys
    for key in keys:
        assert restored.peek(key) == limiter.peek(key)


@pytest.mark.parametrize("kind", KINDS)
def test_a_wall_clock_that_was_set_far_ahead_credits_no_more_than_full(kind, clock):
    restored = build(kind, clock)
    restored.restore(used(kind, clock).state(0), 2**62)
    keys = restored.keys()
    for key in keys:
        assert restored.peek(key).reset_after_us == 0


def test_an_empty_limiter_has_a_state_too(clock):
    for form in FORMS.values():
        state = form(build("bucket", clock).state(SAVED_US))
        restored = used("bucket", clock)
        restored.restore(state, SAVED_US)
        assert len(restored) == 0


def test_limits_that_changed_meanwhile_keep_the_share(clock):
    bucket = TokenBucket(10, 1, clock_ns=clock)
    bucket.allow("k", 5)
    state = bucket.state(SAVED_US)
    larger = TokenBucket(100, 1, clock_ns=clock)
    larger.restore(state, SAVED_US)
    assert larger.peek("k").remaining == 50
    window = SlidingWindowLimiter(10, 5, clock_ns=clock)
    window.allow("k", 5)
    smaller = SlidingWindowLimiter(6, 5, clock_ns=clock)
    smaller.restore(window.state(SAVED_US), SAVED_US)
    assert smaller.peek("k").remaining == 1


def test_reserved_tokens_stay_owed(clock):
    bucket = TokenBucket(10, 1, clock_ns=clock)
    bucket.allow("k", 10)
    assert bucket.reserve("k", 5, 10**9) == 5_000_000
    restored = TokenBucket(10, 1, clock_ns=clock)
    restored.restore(FORMS["bytes"](bucket.state(SAVED_US)), SAVED_US)
    assert restored.retry_after("k") == 6.0


def test_a_key_takes_at_most_thirty_two_bytes_beside_itself(clock):
    bucket = TokenBucket(1000, "1/hour", clock_ns=clock)
    for i in range(10_000):
        clock.advance(0.1)
        bucket.allow(f"client {i:05}", 1 + i % 50)
    data = bucket.state(SAVED_US).to_bytes()
    assert len(data) / 10_000 - len("client 00000") <= 32


def good(clock):
    return used("bucket", clock).state(SAVED_US)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda data: b"", "a limiter state"),
        (lambda data: b"PICK" + data[4:], "a limiter state"),
        (lambda data: data[:4] + b"\x09\x00" + data[6:], "version: expected version 1, got 9"),
        (lambda data: data[:-1] + bytes([data[-1] ^ 1]), "checksum"),
        (lambda data: data[:60] + bytes([data[60] ^ 1]) + data[61:], "checksum"),
        (lambda data: data[:100] + data[101:], "checksum"),
    ],
)
def test_bytes_that_are_no_state_are_refused(harm, message, clock):
    with pytest.raises(InvalidInputError, match=message):
        LimiterState.from_bytes(harm(good(clock).to_bytes()))


def with_checksum(body):
    import zlib

    return body + zlib.crc32(body).to_bytes(4, "little")


@pytest.mark.parametrize(
    "harm",
    [
        lambda body: body[:30],
        lambda body: body[:-3],
        lambda body: body + b"\0",
        lambda body: body[:6] + b"\xff" + body[7:],
        lambda body: body[:20] + b"\xff\xff\xff\x7f" + body[24:],
        lambda body: body[:24] + b"\x07" + body[25:],
        lambda body: body[:56] + b"\xff\x00" + body[58:],
    ],
)
def test_bytes_of_a_wrong_shape_are_refused_even_with_a_right_checksum(harm, clock):
    body = good(clock).to_bytes()[:-4]
    with pytest.raises(InvalidInputError):
        LimiterState.from_bytes(with_checksum(harm(body)))


@pytest.mark.parametrize(
    "harm",
    [
        {"format": "other"},
        {"version": 2},
        {"version": "1"},
        {"keys": None},
        {"keys": [["a", 1]]},
        {"keys": [["a", 1, 2**70]]},
        {"keys": [["a", 1, "x"]]},
        {"limits": [[9, 1, 1, 1]]},
        {"limits": [[0, 0, 1, 1]]},
        {"saved_us": "soon"},
    ],
)
def test_json_that_is_no_state_is_refused(harm, clock):
    given = json.loads(good(clock).to_json())
    with pytest.raises(InvalidInputError, match=r"state|limit|burst"):
        LimiterState.from_json(json.dumps(given | harm))


@pytest.mark.parametrize("text", ["", "[]", "7", "{}"])
def test_text_that_is_no_json_state_is_refused(text):
    with pytest.raises(InvalidInputError, match="state"):
        LimiterState.from_json(text)


def test_a_state_of_other_limits_is_refused(clock):
    state = good(clock)
    for other in ("two", "fixed", "strict"):
        with pytest.raises(InvalidInputError, match="limits"):
            build(other, clock).restore(state, SAVED_US)
    with pytest.raises(InvalidInputError, match=r"state\.width"):
        build("bucket", clock).restore(
            LimiterState(state.limits, SAVED_US, ["a"], 3, bytes(24)), SAVED_US
        )


def test_a_state_that_the_limits_rule_out_changes_nothing(clock):
    row = array("q", [0, 2**59]).tobytes()
    state = LimiterState((BucketLimit(10, Rate.of(2)),), SAVED_US, ["a"], 2, row)
    limiter = used("bucket", clock)
    keys = limiter.keys()
    before = [limiter.peek(key) for key in keys]
    with pytest.raises(InvalidInputError, match="rows"):
        limiter.restore(state, SAVED_US)
    assert [limiter.peek(key) for key in keys] == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_numbers_are_turned_round_where_the_machine_counts_bytes_the_other_way(
    kind, form, clock, monkeypatch
):
    here = used(kind, clock).state(SAVED_US)
    other = {"little": "big", "big": "little"}[sys.byteorder]
    monkeypatch.setattr(sys, "byteorder", other)
    limiter = used(kind, clock)
    there = limiter.state(SAVED_US)
    assert there.keys == here.keys
    assert there.rows != here.rows
    restored = build(kind, clock)
    restored.restore(FORMS[form](there), SAVED_US)
    for key in there.keys:
        assert restored.peek(key) == limiter.peek(key)


def test_rows_of_the_grid_that_strict_windows_had_before_are_refused_clearly():
    """They had a cell less; their counts lie where instants would be looked for."""
    window = SlidingWindowLimiter(10, 5, 4)
    rows = array("q", [0, *[0] * 5, *[0] * 5]).tobytes()
    with pytest.raises(InvalidInputError, match=r"state\.width: expected 13 numbers a key, got 11"):
        window.restore(LimiterState(window.limits, SAVED_US, ["k"], 11, rows), SAVED_US)


def test_a_windows_state_tells_its_geometry():
    state = SlidingWindowLimiter(10, 5, 4).state(SAVED_US)
    assert FORMS["bytes"](state).limits == (WindowLimit(10, 5_000_000, window_count=4),)


# Stored by the first release: read for ever.
STORED_BUCKETS = """
414f524c010002000080982817650600030000000500000000000000000000000a000000000000000100000000000000
804f1200000000000000000000000000c800000000000000010000000000000000ccbf19000000000600000006000000
0600000006000000feffffff2a00000000000000d0bad0bbd18ed1872030d0bad0bbd18ed1872031d0bad0bbd18ed187
2032d0bad0bbd18ed18720332d3701a09f9e9db8010f0f0f0f0b00000000000000000000000001800080000001cb7c2c
dd7c01a492806d920000000000000000000000000194c8fc30c801175797d8570104ead0b6ea01141313131300000000
0000becba863"""
STORED_WINDOW = """
414f524c0100010000809828176506000d0000000200000003000000000000000a00000000000000404b4c0000000000
040000000000000001000000010000000200000000000000616201b8200121a101260700000000000000000000010301
000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000001b8
200121a10126070000000000000000000000000000000000000000000000000000000000000000000000000000000000
000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000
0007b2ed11"""


def test_stored_buckets_of_version_1_are_read_for_ever():
    stored = bytes.fromhex(STORED_BUCKETS)
    state = LimiterState.from_bytes(stored)
    assert state.saved_us == SAVED_US
    assert state.limits == (
        BucketLimit(10, Rate.of("50/min")),
        BucketLimit(200, Rate.of("200/day")),
    )
    assert list(state.keys) == ["ключ 0", "ключ 1", "ключ 2", "ключ 3", -7]
    rows = array("q", state.rows).tolist()
    assert rows[:3] == [4000, 10_800_000, 85_968_000_000]
    assert rows[-3:] == [3000, 9_600_000, 85_536_000_000]
    assert state.to_bytes() == stored


def test_a_stored_window_of_version_1_is_read_for_ever():
    state = LimiterState.from_bytes(bytes.fromhex(STORED_WINDOW))
    assert (state.limits, state.width) == ((WindowLimit(10, 5_000_000, window_count=4),), 13)
    assert array("q", state.rows).tolist()[13:16] == [500_000, 1, 0]


def test_a_forged_width_takes_no_memory():
    stored = bytes.fromhex(STORED_BUCKETS)
    body = stored[:16] + (2**31).to_bytes(4, "little") + stored[20:-4]
    forged = body + zlib.crc32(body).to_bytes(4, "little")
    with pytest.raises(InvalidInputError, match="rows"):
        LimiterState.from_bytes(forged)
