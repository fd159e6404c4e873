"""Bytes that no client library sends, over real sockets, against the whole application.

Whatever comes: no fault of ours in an answer, no connection that stays, and the next client is
served as the first.
"""

import asyncio
import gc
import random
import re

import pytest
import structlog

from aetherops.api.application import create_application
from aetherops.runtime.http.protocol import BoundedProtocol
from aetherops.runtime.http.server import HttpServer, listening_socket
from aetherops.runtime.settings import HttpSettings

CONNECTIONS = 400
AT_ONCE = 40
SETTINGS = HttpSettings(head_timeout_s=0.5, idle_timeout_s=0.5, send_timeout_s=0.5)
PATIENCE_S = 20.0
STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")

METHODS = [b"GET", b"POST", b"HEAD", b"OPTIONS", b"PUT", b"CONNECT", b"PRI", b"get", b"G\0T", b""]
TARGETS = [
    b"/",
    b"/graphql",
    b"/graphql?query={__typename}",
    b"/graphql?query=%7B__typename%7D&variables=%ff",
    b"/v1/telemetry",
    b"/v1/receipts",
    b"/healthz",
    b"/metrics",
    b"*",
    b"http://elsewhere.example/graphql",
    b"elsewhere.example:443",
    b"//",
    b"/%00%ff%",
    b"/\xff",
    b"/" + b"a" * 40_000,
    b"",
]
VERSIONS = [b"HTTP/1.1", b"HTTP/1.0", b"HTTP/2.0", b"HTTP/9.9", b"HTTP/1.1 ", b"http/1.1", b""]
HEADERS = [
    b"Host: x",
    b"Host: x\r\nHost: y",
    b"Content-Length: 3",
    b"Content-Length: 3\r\nContent-Length: 4",
    b"Content-Length: -1",
    b"Content-Length: 99999999999999999999",
    b"Content-Length: " + b"9" * 5000,
    b"Content-Length: 0x3",
    b"Content-Length: 100000000",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding:\x0bchunked",
    b"Content-Length: 3\r\nTransfer-Encoding: chunked",
    b"Content-Type: application/json",
    b"Content-Type: application/vnd.aetherops.batch+msgpack",
    b"Content-Type: " + b";" * 2000,
    b"Accept: " + b"*/*;q=nan," * 500,
    b"Accept: text/html",
    b"Authorization: Bearer TOKEN",
    b"Authorization: Bearer " + b"." * 9000,
    b"Authorization: Bearer \xff\xfe",
    b"Expect: 100-continue",
    b"Connection: close",
    b"Connection: Upgrade\r\nUpgrade: websocket",
    b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c",
    b"X-Forwarded-For: " + b"1," * 3000,
    b"X-Request-Id: \xff\r",
    b"name",
    b"na me: v",
    b": v",
    b" folded",
    b"n\0me: v\0",
    b"a: b\r\n" * 200,
    b"cookie: " + b"c" * 40_000,
]
BODIES = [
    b"",
    b"{}x",
    b'{"query":"{__typename}"}',
    b"3\r\nabc\r\n0\r\n\r\n",
    b'3;ext="\r\n\r\n0\r\n\r\n',
    b"zz\r\n",
    b"-1\r\n",
    b"FFFFFFFFFFFFFFFFF\r\n",
    b"0\r\ntrailer: v\r\n\r\n",
    b"\0" * 1000,
    b"GET / HTTP/1.1\r\n\r\n" * 300,
    b"\x16\x03\x01",
    b"\r\n" * 100,
]


def request_of(chance, token):
    """A request that is seldom right."""
    line = b" ".join(chance.choice(part) for part in (METHODS, TARGETS, VERSIONS))
    if chance.random() < 0.5:
        line = chance.choice([b"GET /graphql?query={__typename}", b"POST /v1/telemetry"])
        line += b" HTTP/1.1"
    headers = chance.sample(HEADERS, chance.choice([0, 1, 2, 3, 3, 4]))
    if chance.random() < 0.5:
        headers.append(HEADERS[18])
    ending = chance.choice([b"\r\n\r\n"] * 8 + [b"\n\n", b"\r\r", b"\r\n", b""])
    data = b"\r\n".join([line, *headers]) + ending + chance.choice(BODIES)
    if chance.random() < 0.2:
        data = bytearray(data)
        data[chance.randrange(len(data) or 1)] = chance.randrange(256)
    return bytes(data).replace(b"TOKEN", token.encode())


async def attack(address, seed, token):
    """Send what the seed says, in pieces, and leave in one of several ways; returns statuses."""
    chance = random.Random(seed)
    reader, writer = await asyncio.open_connection(*address)
    read = b""
    try:
        data = b"".join(request_of(chance, token) for _ in range(chance.choice([1, 1, 2, 5])))
        while data:
            size = chance.choice([1, 7, 100, len(data), len(data)])
            writer.write(data[:size])
            await asyncio.wait_for(writer.drain(), PATIENCE_S)
            data = data[size:] if chance.random() < 0.97 else b""
            await asyncio.sleep(0)
        leave = chance.choice(["reset", "half", "wait", "wait"])
        if leave == "reset":
            writer.transport.abort()
        elif leave == "half":
            writer.write_eof()
        read = await asyncio.wait_for(reader.read(), PATIENCE_S)
    except TimeoutError:
        raise
    except OSError:
        pass  # it was ended while there was more to say
    finally:
        writer.close()
    return {int(status) for status in STATUS.findall(read)}


async def attack_all(address, seeds, token):
    """Attacks of all seeds, so many at once; returns all statuses."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(seed):
        async with gate:
            return seed, await attack(address, seed, token)

    statuses = set()
    for seed, found in await asyncio.gather(*map(one, seeds)):
        assert not {500, 501, 502, 504} & found, f"seed {seed}: {found}"
        statuses |= found
    return statuses


@pytest.fixture
async def address(platform):
    """Where the whole application is served."""
    with listening_socket("127.0.0.1", 0) as bound:
        server = HttpServer(create_application(platform.services()), bound, 5.0, SETTINGS)
        running = asyncio.create_task(server.run())
        yield bound.getsockname()[:2]
        server.stop()
        await running


async def test_no_bytes_make_a_fault_or_stay(address, platform):
    with structlog.testing.capture_logs() as logs:
        statuses = await attack_all(address, range(CONNECTIONS), platform.token())
        reader, writer = await asyncio.open_connection(*address)
        writer.write(b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n")
        last = await reader.read()
        writer.close()
    assert last.startswith(b"HTTP/1.1 200 ")
    assert {200, 400, 401, 404, 405, 415, 431} <= statuses
    assert [entry for entry in logs if entry["log_level"] in ("warning", "error")] == []
    async with asyncio.timeout(PATIENCE_S):
        while any(isinstance(o, BoundedProtocol) and o.connections for o in gc.get_objects()):
            await asyncio.sleep(0.1)


async def test_a_body_that_breaks_off_is_no_fault_of_ours(address, platform):
    with structlog.testing.capture_logs() as logs:
        _, writer = await asyncio.open_connection(*address)
        head = "POST /v1/telemetry HTTP/1.1\r\nContent-Type: application/json\r\n"
        head += f"Authorization: Bearer {platform.token()}\r\nContent-Length: 9\r\n\r\n"
        writer.write(head.encode() + b"{")
        await asyncio.sleep(0.2)
        writer.close()
        async with asyncio.timeout(PATIENCE_S):
            while not any(entry["event"] == "request_ended" for entry in logs):
                await asyncio.sleep(0.02)
    assert [entry["status"] for entry in logs if entry["event"] == "request_ended"] == [400]
    assert not any(entry["event"] == "request_failed" for entry in logs)
