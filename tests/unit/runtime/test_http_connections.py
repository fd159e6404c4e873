"""How many connections there may be, and how long each may wait; over real sockets."""

import asyncio
import resource

import pytest

from aetherops.runtime.http.connections import connection_limit

SOON_S = 0.3
CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_a_connection_that_never_asks_is_closed(serving):
    async with serving(head_timeout_s=SOON_S) as server:
        assert await (await server.connect()).end() == b""


async def test_an_unfinished_head_is_told_that_its_time_is_up(serving):
    async with serving(head_timeout_s=SOON_S) as server:
        client = await server.connect()
        await client.send(b"GET / HTTP/1.1\r\nHost")
        status, _, error = await client.refusal()
    assert (status, error["code"]) == (408, "TIMED_OUT")


async def test_a_head_that_goes_on_slowly_gains_no_time(serving):
    async with serving(head_timeout_s=SOON_S) as server:
        client = await server.connect()
        await client.send(b"GET / HTTP/1.1\r\n")
        sending = asyncio.create_task(client.drip(b"a: b\r\n"))
        status, _, _ = await client.answer()
        sending.cancel()
    assert status == 408


async def test_the_time_of_a_second_head_begins_with_its_first_byte(serving):
    async with serving(head_timeout_s=SOON_S) as server:
        client = await server.connect()
        assert (await client.ask())[0] == 200
        await asyncio.sleep(2 * SOON_S)
        assert (await client.ask())[0] == 200
        await client.send(b"GET")
        assert (await client.refusal())[0] == 408


async def test_a_connection_without_a_further_request_is_closed(serving):
    async with serving(idle_timeout_s=SOON_S) as server:
        client = await server.connect()
        assert (await client.ask())[0] == 200
        assert await client.end() == b""


@pytest.mark.parametrize("drop", [b"\r\n", b"1\r\nx\r\n"], ids=["empty lines", "an unread body"])
async def test_what_is_no_request_keeps_no_connection_open(serving, drop):
    begin = CHUNKED.replace(b"/", b"/early", 1) if drop != b"\r\n" else b"GET / HTTP/1.1\r\n\r\n"
    async with serving(idle_timeout_s=SOON_S) as server:
        client = await server.connect()
        assert (await client.ask(begin))[0] == 200
        sending = asyncio.create_task(client.drip(drop))
        assert await client.end() == b""
        sending.cancel()


async def test_a_request_under_way_has_the_time_it_needs(serving):
    async with serving(head_timeout_s=SOON_S, idle_timeout_s=SOON_S) as server:
        client = await server.connect()
        await client.send(b"GET /slow HTTP/1.1\r\n\r\n")
        await asyncio.sleep(3 * SOON_S)
        server.application.go_on.set()
        assert (await client.answer())[2] == b"slow"


@pytest.mark.parametrize("header", [b"", b"Connection: close\r\n"])
async def test_a_client_that_does_not_read_its_answer_loses_it(serving, header):
    async with serving(send_timeout_s=SOON_S) as server:
        client = await server.connect(limit=2**10)
        await client.send(b"GET /large HTTP/1.1\r\n" + header + b"\r\n")
        await asyncio.sleep(5 * SOON_S)
        assert len(await client.end()) < len(server.application.large)


async def test_a_client_that_reads_slowly_gets_all_of_it(serving):
    async with serving(send_timeout_s=SOON_S, idle_timeout_s=SOON_S) as server:
        server.application.large = bytes(2**23)
        client = await server.connect(limit=2**12)
        await client.send(b"GET /large HTTP/1.1\r\n\r\n")
        read = 0
        while read < 2**23:
            await asyncio.sleep(SOON_S / 4)
            part = await client.reader.read(2**19)
            assert part
            read += len(part)


async def test_where_there_is_no_room_the_oldest_idle_connection_ends(serving):
    async with serving(max_connections=3) as server:
        idle, busy, later = [await server.connect() for _ in range(3)]
        await busy.send(b"GET /slow HTTP/1.1\r\n\r\n")
        await idle.ask()
        await later.ask()
        new = await server.connect()
        assert (await new.ask())[0] == 200
        assert await idle.end() == b""
        assert (await later.ask())[0] == 200
        server.application.go_on.set()
        assert (await busy.answer())[2] == b"slow"


async def test_unfinished_heads_lock_nobody_out(serving):
    async with serving(max_connections=8) as server:
        unfinished = [await server.connect() for _ in range(40)]
        for client in unfinished[-8:]:
            await client.send(b"GET / HTTP/1.1\r\n")
        assert (await (await server.connect()).ask())[0] == 200


async def test_where_all_are_busy_a_new_client_is_told_to_come_again(serving):
    async with serving(max_connections=2) as server:
        for _ in range(2):
            await (await server.connect()).send(b"GET /slow HTTP/1.1\r\n\r\n")
        await asyncio.sleep(SOON_S)
        for _ in range(20):
            status, headers, error = await (await server.connect()).refusal()
            assert (status, headers["retry-after"], error["code"]) == (503, "1", "UNAVAILABLE")
        server.application.go_on.set()
        for busy in server.clients[:2]:
            assert (await busy.answer())[2] == b"slow"


@pytest.mark.parametrize(("descriptors", "connections"), [(100, 50), (1024, 768), (2**20, 4096)])
def test_connections_leave_descriptors_for_the_rest(monkeypatch, descriptors, connections):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (descriptors, descriptors))
    assert connection_limit() == connections


def test_without_a_limit_of_descriptors_there_is_one_of_connections(monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY,) * 2)
    assert connection_limit() == 4096


async def test_the_server_ends_though_clients_hold_on(serving):
    async with serving() as server:
        await server.connect()
        await (await server.connect()).send(b"GET / HTTP/1.1\r\n")
        await (await server.connect()).ask()
        refused = await server.connect()
        assert (await refused.ask(b"junk\r\n\r\n"))[0] == 400
        held = server.clients
        server.clients = []
    for client in held:
        assert await client.end() == b""
        client.writer.close()
