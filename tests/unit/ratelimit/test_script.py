"""What the Lua scripts are asked."""

import asyncio

import pytest

from aetherops.errors import InvalidInputError, UnavailableError
from aetherops.ratelimit import BucketLimit, Rate, WindowLimit, WindowMode
from aetherops.ratelimit.script import Ask, Script
from aetherops.ratelimit.shared import Taken

BUCKET = BucketLimit(10, Rate.of(4))


def words(packed):
    """The words of one command in the protocol's form."""
    count, *parts = packed.split(b"\r\n")[:-1]
    found = parts[1::2]
    assert count == b"*%d" % len(found)
    assert [b"$%d" % len(word) for word in found] == parts[::2]
    return found


def test_a_command_has_one_key_whose_hash_tag_is_the_limited_one():
    script = Script("http", [BUCKET])
    found = words(script.packed(Ask("10.0.0.7", b"take", 2, 2, 0)))
    assert found[0] == b"EVALSHA"
    assert found[2:4] == [b"1", b"aetherops:limit:http:{10.0.0.7}"]
    assert found[4:9] == [b"", b"take", b"2", b"2", b"0"]
    assert 0 <= int(found[9]) < 1000
    assert found[10:] == [b"1", b"250000", b"2500000"]


def test_an_integer_key_is_told_from_its_text():
    script = Script("http", [BUCKET])
    assert script.key(7) != script.key("7")
    assert script.key("Zürich \ud800")  # any text, even one that is no Unicode


def test_time_is_the_clients_where_asked():
    script = Script("http", [BUCKET], clock_us=lambda: 1234)
    assert words(script.packed(Ask("k", b"look", 1, 1, 3)))[4:9] == [
        b"1234",
        b"look",
        b"1",
        b"1",
        b"3",
    ]


def test_the_pipeline_of_a_cluster_gets_the_same_words():
    script = Script("http", [WindowLimit(9, 10**6)], clock_us=lambda: 5)
    ask = Ask("k", b"give", 3, 3, 0)
    packed, command = words(script.packed(ask)), script.command(ask)
    assert packed[2:9] == list(command[2:9])
    assert packed[10:] == list(command[10:]) == [b"9", b"1000000", b"8", b"strict"]


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
    ask.answer(b"6 0 2 500 900")
    assert await first == Taken(3, 0, 2, 500, 900)
    assert second.cancelled()
    assert await third == Taken(0, 0, 2, 500, 900)


async def test_a_lease_is_answered_whole():
    ask = Ask("k", b"take", 1, 100, 3)
    answer = ask.open()
    assert not ask.takes(1, 1, 0)
    ask.answer(b"16 0 80 0 5")
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
