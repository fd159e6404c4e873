"""How much a client may send before it is refused, and what stays right; over real sockets."""

import asyncio
import gc

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from aetherops.runtime.http.protocol import MAX_HEADERS, BoundedProtocol
from aetherops.runtime.settings import HttpSettings

HEAD_LIMIT = HttpSettings().max_head_bytes
SOON_S = 0.3


ENDLESS = {
    "a request line": (b"GET /", b"a" * 1000),
    "a header's name": (b"GET / HTTP/1.1\r\n", b"n" * 1000),
    "a header's value": (b"GET / HTTP/1.1\r\nname: ", b"v" * 1000),
    "blanks before a value": (b"GET / HTTP/1.1\r\nname:", b" " * 1000),
    "a few long headers": (b"GET / HTTP/1.1\r\n", b"name: " + b"v" * 2000 + b"\r\n"),
    "empty lines": (b"", b"\r\n" * 500),
}


@pytest.mark.parametrize("what", ENDLESS)
async def test_a_head_without_an_end_is_refused_at_the_limit(serving, what):
    begin, more = ENDLESS[what]
    async with serving() as server:
        client = await server.connect()
        await client.send(begin)
        for _ in range(2 * HEAD_LIMIT // len(more)):
            await client.send(more)
        status, headers, error = await client.refusal()
    assert status == 431
    assert headers["connection"] == "close"
    assert headers["content-type"] == "application/json"
    assert error == {
        "code": "LIMIT_EXCEEDED",
        "message": "bytes in a request's head: at most 32,768",
        "what": "bytes in a request's head",
        "limit": 32768,
    }
    assert server.application.seen == []


@pytest.mark.parametrize(("length", "status"), [(HEAD_LIMIT, 200), (HEAD_LIMIT + 1, 431)])
@pytest.mark.parametrize("pieces", [1, 7])
async def test_the_limit_is_exact_however_the_head_arrives(serving, length, status, pieces):
    head = b"GET / HTTP/1.1\r\nHost: x\r\npad: %s\r\n\r\n"
    head %= b"v" * (length - len(head) + 2)
    assert len(head) == length
    async with serving() as server:
        client = await server.connect()
        for i in range(pieces):
            await client.send(head[i * length // pieces : (i + 1) * length // pieces])
            await asyncio.sleep(0)
        assert (await client.answer())[0] == status


async def test_many_small_headers_are_refused_by_their_number(serving):
    async with serving() as server:
        client = await server.connect()
        await client.send(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (MAX_HEADERS + 1) + b"\r\n")
        status, _, error = await client.refusal()
        other = await server.connect()
        fits = await other.ask(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * MAX_HEADERS + b"\r\n")
    assert (status, error["what"], error["limit"]) == (431, "headers of a request", MAX_HEADERS)
    assert fits[0] == 200


CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begin", "more"),
    [
        (b"5;", b"extension" * 100),
        (b"0\r\ntrailer: ", b"v" * 1000),
        (b"0\r\n", b"name: v\r\n" * 100),
    ],
    ids=["an extension of a chunk", "one trailer", "many trailers"],
)
async def test_framing_without_an_end_is_refused(serving, begin, more):
    async with serving() as server:
        client = await server.connect()
        await client.send(CHUNKED + begin)
        for _ in range(2 * HEAD_LIMIT // len(more)):
            await client.send(more)
        status, _, error = await client.refusal()
    assert (status, error["code"]) == (400, "LIMIT_EXCEEDED")
    assert error["what"] == "bytes of chunk extensions and trailers"
    assert server.application.disconnects == 1  # the application waits for no body any more


async def test_a_body_of_the_smallest_chunks_is_taken(serving):
    length = 3 * HEAD_LIMIT
    async with serving() as server:
        client = await server.connect()
        answer = await client.ask(CHUNKED + b"1\r\nx\r\n" * length + b"0\r\n\r\n")
    assert answer[2] == b":%d" % length


async def test_trailers_are_no_headers(serving):
    async with serving() as server:
        client = await server.connect()
        await client.ask(CHUNKED + b"1\r\nx\r\n0\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
        (request,) = server.application.seen
    assert sorted(request.headers) == ["host", "transfer-encoding"]


async def test_pipelined_requests_are_answered_in_order(serving):
    requests = [b"GET /?n=%d HTTP/1.1\r\nHost: x\r\n\r\n" % i for i in range(3000)]
    async with serving() as server:
        client = await server.connect()
        sending = asyncio.create_task(client.send(b"".join(requests)))
        answers = [(await client.answer())[2] for _ in requests]
        await sending
    assert answers == [b"%d:0" % i for i in range(3000)]


async def test_pipelined_requests_are_parsed_no_faster_than_they_are_answered(serving):
    async with serving() as server:
        client = await server.connect()
        await client.send(b"GET /slow HTTP/1.1\r\n\r\n" + b"GET / HTTP/1.1\r\n\r\n" * 10_000)
        await asyncio.sleep(SOON_S)
        gc.collect()
        cycles = sum(type(o) is RequestResponseCycle for o in gc.get_objects())
        assert cycles < 2_000
        server.application.go_on.set()
        assert (await client.answer())[2] == b"slow"
        for _ in range(10_000):
            assert (await client.answer())[2] == b":0"


async def test_what_waits_to_be_parsed_is_no_more_than_was_read_at_once(serving):
    request = b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx"
    count, peak = 20_000, 0
    async with serving() as server:
        client = await server.connect()
        sending = asyncio.create_task(client.send(request * count))
        for answered in range(count):
            await client.answer()
            if answered % 1_000 == 0:
                held = [o._unparsed for o in gc.get_objects() if type(o) is BoundedProtocol]
                peak = max(peak, *map(len, held))
        await sending
    assert 0 < peak < 2**19 < len(request) * count


async def test_a_body_may_be_of_any_length_and_come_in_any_pieces(serving):
    body = bytes(5 * 2**20 + 3)
    head = b"POST /?n=1 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    async with serving() as server:
        client = await server.connect()
        data = head + body + b"GET /?n=2 HTTP/1.1\r\n\r\n"
        sending = asyncio.create_task(client.send(data))
        assert (await client.answer())[2] == b"1:%d" % len(body)
        assert (await client.answer())[2] == b"2:0"
        await sending


async def test_a_wish_for_another_protocol_is_passed_over(serving):
    upgrade = b"GET /?n=1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    async with serving() as server:
        client = await server.connect()
        await client.send(upgrade + b"GET /?n=2 HTTP/1.1\r\n\r\n")
        assert (await client.answer())[2] == b"1:0"
        assert (await client.answer())[2] == b"2:0"


async def test_what_is_no_http_is_told_in_the_form_of_the_application(serving):
    async with serving() as server:
        client = await server.connect()
        await client.send(b"\x16\x03\x01\x02\x00\x01\x00 hello")
        status, headers, error = await client.refusal()
    assert (status, error["code"]) == (400, "BAD_INPUT")
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
async def test_a_body_that_is_none_ends_its_request(serving, expect):
    async with serving() as server:
        client = await server.connect()
        await client.send(CHUNKED.replace(b"Host: x\r\n", b"Host: x\r\n" + expect) + b"zz\r\n")
        status, _, error = await client.refusal()
    assert (status, error["code"]) == (400, "BAD_INPUT")
    assert server.application.disconnects == 1


async def test_junk_behind_a_request_takes_nothing_from_its_answer(serving):
    async with serving() as server:
        client = await server.connect()
        await client.send(b"GET /slow HTTP/1.1\r\n\r\nGET /?n=2 HTTP/1.1\r\n\r\njunk\r\n")
        await asyncio.sleep(SOON_S)
        server.application.go_on.set()
        assert (await client.answer())[2] == b"slow"
        assert (await client.answer())[2] == b"2:0"
        assert await client.end() == b""


async def test_the_reason_is_read_by_a_client_that_goes_on_sending(serving):
    async with serving() as server:
        client = await server.connect()
        await client.send(b"GET / HTTP/1.1\r\nname: ")
        sending = asyncio.create_task(client.send(b"v" * 2**25))
        assert (await client.answer())[0] == 431
        await asyncio.wait([sending])
        sending.exception()


async def test_the_server_itself_believes_no_header_about_where_a_request_comes_from(serving):
    async with serving() as server:
        client = await server.connect()
        await client.ask(b"GET / HTTP/1.1\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
        (request,) = server.application.seen
    assert request.client.host == "127.0.0.1"


@pytest.mark.parametrize("version", ["1.1", "1.0"])
async def test_an_answer_before_the_body_was_read_reaches_who_wants_the_connection_closed(
    serving, version
):
    """Closing with bytes unread would reset the connection, and take the answer away."""
    body = b"x" * 9_000_000
    head = f"POST /early HTTP/{version}\r\nHost: x\r\nConnection: close\r\n"
    async with serving() as server:
        client = await server.connect()
        await client.send(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        for start in range(0, len(body), 100_000):  # reads nothing until it has sent everything
            await client.send(body[start : start + 100_000])
        assert (await client.answer())[::2] == (200, b"not read")
        assert await client.end() == b""


async def test_no_request_behind_the_last_one_is_served(serving):
    async with serving() as server:
        client = await server.connect()
        last = b"GET /?n=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        await client.send(last + b"GET /?n=2 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert (await client.answer())[2] == b"1:0"
        assert await client.end() == b""
    assert len(server.application.seen) == 1
