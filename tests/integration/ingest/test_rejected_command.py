"""``aetherops rejected`` against the HTTP interface over a real queue."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs
from typer.testing import CliRunner

from aetherops.api.application import ApiServices, create_application
from aetherops.cli.application import application
from aetherops.identity.keys import SigningKey
from aetherops.identity.operators import Operator
from aetherops.identity.tokens import TokenIssuer, TokenVerifier
from aetherops.runtime.clock import now_us
from aetherops.runtime.http.server import HttpServer
from aetherops.runtime.settings import HttpSettings, Settings

pytestmark = pytest.mark.integration


@asynccontextmanager
async def served(ingest):
    """The options by which a command reaches an application over this ingest."""
    key = SigningKey.generate()
    services = ApiServices(
        store=ingest.store,
        intake=ingest.queue,
        verifier=TokenVerifier([key.verifying_key]),
        readiness=dict,
        settings=Settings(),
        rejected=ingest.rejected,
    )
    with socket.create_server(("127.0.0.1", 0)) as bound:
        server = HttpServer(create_application(services), bound, 5.0, HttpSettings())
        task = asyncio.create_task(server.run())
        token = TokenIssuer(key).issue(
            Operator("op", "Ada", frozenset({"admin"})), 600, now_us() / 1e6
        )
        try:
            yield ["--url", f"http://127.0.0.1:{bound.getsockname()[1]}", "--token", token]
        finally:
            server.stop()
            await task


async def run(reached, *arguments):
    return await asyncio.to_thread(
        CliRunner().invoke, application, ["rejected", *arguments, *reached]
    )


async def test_batches_are_listed_shown_replayed_and_dropped_by_command(ingest, eventually):
    for content in (b"no batch", b"nor this"):
        await ingest.nats.js.publish("telemetry.batch", content)
    async with ingest.working():
        await eventually(lambda: _are(ingest, 2))

    # Captured: they would stand in the commands' output.
    with capture_logs() as logs:
        async with served(ingest) as reached:
            listed = await run(reached, "list")
            shown = await run(reached, "show", "1")
            replayed = await run(reached, "replay", "1")
            dropped = await run(reached, "drop", "2", "9")
            left = await run(reached, "list")

    assert [line.split()[0] for line in listed.stdout.splitlines()] == ["1", "2"]
    assert "8 bytes" in listed.stdout
    assert "MessagePack" in shown.stdout
    assert (replayed.exit_code, replayed.stderr) == (0, "1 put on the queue again\n")
    assert (dropped.exit_code, "no rejected batch is named '9'" in dropped.stderr) == (3, True)
    assert (left.exit_code, left.stderr) == (0, "no batch is set aside\n")
    assert (await ingest.queue.backlog()).batches == 1
    told = {line["event"] for line in logs if "rejected" in line["event"]}
    assert told == {"rejected_batch_replayed", "rejected_batch_dropped"}


async def _are(ingest, count):
    return await ingest.rejected.count() == count
