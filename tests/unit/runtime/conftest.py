"""A server of HTTP on loopback, and clients that send it any bytes."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from aetherops.runtime.http.server import HttpServer, listening_socket
from aetherops.runtime.settings import HttpSettings

LONG_S = 60.0
PATIENCE_S = 20.0


class Application:
    """Echoes bodies; answers ``/slow`` once it may, and ``/large`` with a lot."""

    def __init__(self):
        self.seen = []
        self.go_on = asyncio.Event()
        self.disconnects = 0
        self.large = b"x" * 2**25
        self.routes = Starlette(
            routes=[
                Route("/", self.echo, methods=["GET", "POST"]),
                Route("/slow", self.slow),
                Route("/large", self.answer_large),
                Route("/early", self.answer_early, methods=["POST"]),
            ]
        )

    async def echo(self, request):
        try:
            body = await request.body()
        except ClientDisconnect:
            self.disconnects += 1
            raise
        self.seen.append(request)
        return PlainTextResponse(f"{request.query_params.get('n', '')}:{len(body)}")

    async def slow(self, request):
        await self.go_on.wait()
        return PlainTextResponse("slow")

    async def answer_large(self, request):
        return Response(self.large)

    async def answer_early(self, request):
        return PlainTextResponse("not read")


class Client:
    """A connection, byte by byte."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    async def send(self, data):
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self):
        """Status, headers and body of the next answer."""
        async with asyncio.timeout(PATIENCE_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            body = await self.reader.readexactly(int(headers["content-length"]))
        return int(head[0].split()[1]), headers, body

    async def ask(self, data=b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"):
        await self.send(data)
        return await self.answer()

    async def refusal(self):
        """Status, headers and error of an answer after which the connection ends."""
        status, headers, body = await self.answer()
        assert await self.end() == b""
        return status, headers, json.loads(body)["error"]

    async def drip(self, drop):
        """Send the same again and again, until cancelled."""
        for _ in range(int(PATIENCE_S / 0.02)):
            await asyncio.sleep(0.02)
            await self.send(drop)

    async def end(self):
        """Whatever comes until the server closes."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await self.reader.read()
        except ConnectionError:
            return b""


class Server:
    def __init__(self, application, address):
        self.application = application
        self.address = address
        self.clients = []
        self.table = None

    async def connect(self, **options):
        client = Client(*await asyncio.open_connection(*self.address, **options))
        self.clients.append(client)
        return client


@asynccontextmanager
async def serving_http(**settings):
    """A server whose waits are long, but for those that are named."""
    waits = dict.fromkeys(("head_timeout_s", "idle_timeout_s", "send_timeout_s"), LONG_S)
    application = Application()
    with listening_socket("127.0.0.1", 0) as bound:
        server = HttpServer(application.routes, bound, 5.0, HttpSettings(**(waits | settings)))
        running = asyncio.create_task(server.run())
        clients = Server(application, bound.getsockname()[:2])
        clients.table = server.connections
        try:
            yield clients
        finally:
            application.go_on.set()
            for client in clients.clients:
                client.writer.close()
            server.stop()
            await running


@pytest.fixture
def serving():
    """A server of HTTP over real sockets; keyword arguments are its settings."""
    return serving_http
