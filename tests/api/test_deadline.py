"""An answer that does not begin in time is given up, and the client is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from aetherops.api.http.deadline import Deadline
from aetherops.api.http.failures import respond_with_failure
from aetherops.api.http.middleware import ErrorResponses

LIMIT_S = 0.2


async def hang(request: Request) -> PlainTextResponse:
    await request.body()
    await asyncio.Event().wait()
    return PlainTextResponse("never")


async def answer_slowly(request: Request) -> StreamingResponse:
    async def parts() -> AsyncIterator[str]:
        yield "begun"
        await asyncio.sleep(3 * LIMIT_S)
        yield ", done"

    return StreamingResponse(parts())


async def time_out_by_itself(request: Request) -> PlainTextResponse:
    raise TimeoutError("of its own")


async def echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse((await request.body()).decode())


def client() -> httpx.AsyncClient:
    application = Starlette(
        routes=[
            Route("/hang", hang, methods=["GET", "POST"]),
            Route("/slow", answer_slowly),
            Route("/own", time_out_by_itself),
            Route("/echo", echo, methods=["POST"]),
        ],
        middleware=[Middleware(ErrorResponses), Middleware(Deadline, limit_s=LIMIT_S)],
        exception_handlers={HTTPException: respond_with_failure},
    )
    transport = httpx.ASGITransport(application, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://test", timeout=30)


async def test_what_hangs_is_cut_off_with_504() -> None:
    async with client() as http, asyncio.timeout(20):
        for answer in (await http.get("/hang"), await http.post("/hang", content=b"x")):
            assert answer.status_code == 504
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["error"]["code"] == "TIMED_OUT"


async def test_an_answer_that_has_begun_may_take_its_time() -> None:
    async with client() as http:
        assert (await http.get("/slow")).text == "begun, done"


async def test_a_body_may_take_longer_than_its_answer() -> None:
    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(LIMIT_S / 2)
            yield b"x"

    async with client() as http:
        assert (await http.post("/echo", content=body())).text == "xxx"


async def test_another_timeout_is_not_taken_for_this_one() -> None:
    async with client() as http:
        assert (await http.get("/own")).status_code == 500
