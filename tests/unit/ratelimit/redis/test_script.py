"""What the Lua scripts are asked."""

import asyncio
import itertools
import struct

import pytest

from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.ratelimit import BucketLimit, Rate, WindowLimit, WindowMode
from aetherops.ratelimit.redis.script import Ask, Script
from aetherops.ratelimit.shared.limiter import Grant

BUCKET = BucketLimit(10, Rate.of(4))


def words(packed):
    """The words of commands in the protocol's form, command after command."""
    parts = packed.split(b"\r\n")[:-1]
    while parts:
        (mark, count), parts = (parts[0][:1], int(parts[0][1:])), parts[1:]
        lengths, found, parts = parts[: 2 * count : 2], parts[1 : 2 * count : 2], parts[2 * count :]
        assert mark == b"*"
        assert lengths == [b"$%d" % len(word) for word in found]
        yield found


def numbers(word):
    return struct.unpack(f">{len(word) // 8}d", word)


def test_a_command_has_one_key_whose_hash_tag_is_the_limited_one():
    script = Script("http", [BUCKET])
    [found] = words(script.packed([Ask("10.0.0.7", b"take", 2, 2, 0)]))
    assert found[0] == b"EVALSHA"
    assert found[2:5] == [b"1", b"aetherops:limit:http:{10.0.0.7}", b"take"]
    assert numbers(found[5]) == (-1, 2, 2, 0, 1, 250_000, 2_500_000)


def test_a_batch_is_one_command_for_each():
    script = Script("http", [BUCKET])
    asks = [Ask("a", b"take", 1, 1, 0), Ask(7, b"take", 1, 1, 0), Ask("a", b"give", 2, 2, 0)]
    first, second, third = words(script.packed(asks))
    assert [found[3] for found in (first, second, third)] == list(map(script.key, ("a", 7, "a")))
    assert first[4:] == second[4:]
    assert (third[4], numbers(third[5])[:4]) == (b"give", (-1, 2, 2, 0))


def test_an_integer_key_is_told_from_its_text():
    script = Script("http", [BUCKET])
    assert script.key(7) != script.key("7")
    assert script.key("Zürich \ud800")  # any text, even one that is no Unicode


def test_time_is_the_clients_where_asked():
    clock = itertools.count(1234)
    script = Script("http", [BUCKET], clock_us=lambda: next(clock))
    found = list(words(script.packed([Ask("k", b"look", 1, 1, 3)] * 2)))
    assert [numbers(each[5])[:4] for each in found] == [(1234, 1, 1, 3), (1235, 1, 1, 3)]


def test_the_pipeline_of_a_cluster_gets_the_same_words():
    script = Script("http", [WindowLimit(9, 10**6)], clock_us=lambda: 5)
    asks = [Ask("k", b"give", 3, 3, 0)]
    [packed], [(name, digest, *rest)] = words(script.packed(asks)), script.commands(asks)
    assert packed == [name.encode(), digest.encode(), *rest]
    assert numbers(packed[5]) == (5, 3, 3, 0, 9, 1_000_000, 8)


async def test_decisions_of_one_cost_are_asked_as_one_and_served_in_order():
    ask = Ask("k", b"take", 3, 3, 0)
    first = ask.open()
    assert ask.takes(3, 3, 0)
    assert not ask.takes(2, 2, 0)
    assert not ask.takes(3, 6, 0)
    assert not ask.takes(3, 3, 1)
    second, third = ask.join(3), ask.join(3)
    assert ask.most == 9
    second.cancel()
    ask.answer([6, 0, 2, 500, 900])
    assert await first == Grant(3, 0, 2, 500, 900)
    assert second.cancelled()
    assert await third == Grant(0, 0, 2, 500, 900)


async def test_an_answer_that_nobody_waits_for_is_dropped():
    ask = Ask("k", b"take", 1, 1, 0)
    ask.open().cancel()
    ask.answer([1, 0, 2, 0, 900])


async def test_a_lease_is_answered_whole():
    ask = Ask("k", b"take", 1, 100, 3)
    answer = ask.open()
    assert not ask.takes(1, 1, 0)
    ask.answer([16, 0, 80, 0, 5])
    assert (await answer).granted == 16


async def test_a_failure_is_told_to_all_who_still_wait():
    ask = Ask("k", b"take", 1, 1, 0)
    first, gone = ask.open(), ask.join(1)
    gone.cancel()
    ask.fail(UnavailableError("redis"))
    with pytest.raises(UnavailableError):
        await first
    await asyncio.sleep(0)


def test_limits_may_change_but_not_their_kind():
    script = Script("a", [BUCKET])
    assert script.changed([BucketLimit(20, Rate.of(1))]).limits[0].burst_capacity == 20
    window = Script("a", [WindowLimit(5, 10**6)])
    assert window.changed([WindowLimit(6, 10**6)]).limits[0].quota == 6
    for one, other in (
        (script, [WindowLimit(5, 10**6)]),
        (script, [BUCKET, BUCKET]),
        (window, [WindowLimit(5, 2 * 10**6)]),
        (window, [WindowLimit(5, 10**6, WindowMode.FIXED, 1)]),
    ):
        with pytest.raises(InvalidInputError, match="limits"):
            one.changed(other)


@pytest.mark.parametrize(
    "limits",
    [
        [],
        [BUCKET, WindowLimit(5, 10**6)],
        [WindowLimit(5, 10**6)] * 2,
        [BucketLimit(2**35, Rate.of(1))],
        [WindowLimit(2**40, 10**9)],
    ],
)
def test_limits_that_lua_cannot_count_are_refused(limits):
    with pytest.raises(InvalidInputError, match="limits"):
        Script("name", limits)


@pytest.mark.parametrize("name", ["", "x" * 65])
def test_limits_have_a_name(name):
    with pytest.raises(InvalidInputError, match="name"):
        Script(name, [BUCKET])
