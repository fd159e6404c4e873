"""The application's socket is taken first, and its server ends when told to."""

import asyncio
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from aetherops.runtime.http.server import AddressInUseError, HttpServer, listening_socket


def test_a_taken_port_is_an_error_that_names_it_and_the_way_out():
    with listening_socket("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        with (
            pytest.raises(AddressInUseError, match=rf"127\.0\.0\.1:{port}: .*in use.*--port"),
            listening_socket("127.0.0.1", port),
        ):
            pass


def test_a_host_of_another_machine_is_an_error():
    with pytest.raises(AddressInUseError, match=r"192\.0\.2\.1"), listening_socket("192.0.2.1", 0):
        pass


def test_answers_are_sent_at_once_and_do_not_wait_for_an_acknowledgement():
    with listening_socket("127.0.0.1", 0) as bound, socket.create_connection(bound.getsockname()):
        connection, _ = bound.accept()
        with connection:
            assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


async def test_a_request_under_way_is_answered_before_the_server_ends():
    started, go_on = asyncio.Event(), asyncio.Event()

    async def slow(request):
        started.set()
        await go_on.wait()
        return PlainTextResponse("done")

    application = Starlette(routes=[Route("/", slow)])
    with listening_socket("127.0.0.1", 0) as bound:
        server = HttpServer(application, bound, drain_timeout_s=10)
        running = asyncio.create_task(server.run())
        async with httpx.AsyncClient() as client:
            asked = asyncio.create_task(client.get(f"http://127.0.0.1:{bound.getsockname()[1]}/"))
            await started.wait()
            server.stop()
            go_on.set()
            assert (await asked).text == "done"
        await running
