"""Streams on a server alone: made once, left as they are, their limit followed where it is ours."""

from __future__ import annotations

import asyncio
import json
import socket
import sysconfig
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from aetherops.archive.jetstream import check_server, prepare_streams
from aetherops.archive.postgres import check_rights
from aetherops.connections.nats import Nats
from aetherops.connections.nats_streams import stream_document
from aetherops.connections.postgres import Postgres
from aetherops.errors import InvalidInputError

pytestmark = pytest.mark.integration

MIB = 2**20


async def config_of(nats):
    return (await stream_document(nats, "TELEMETRY"))["config"]


async def changed(nats, **settings):
    content = json.dumps(await config_of(nats) | settings).encode()
    answer = await nats.client.request("$JS.API.STREAM.UPDATE.TELEMETRY", content)
    assert "error" not in json.loads(answer.data)


async def test_a_server_alone_keeps_one_copy_and_nothing_differs(guarded_nats):
    with capture_logs() as logs:
        for _ in range(2):
            await check_server(guarded_nats)
            await prepare_streams(guarded_nats, 64 * MIB)

    assert (await config_of(guarded_nats))["num_replicas"] == 1
    assert [line["event"] for line in logs] == ["stream_created", "stream_created"]


async def test_the_backlogs_limit_follows_the_setting_until_an_operator_sets_another(guarded_nats):
    await prepare_streams(guarded_nats, 64 * MIB)
    await changed(guarded_nats, description="ours")
    await prepare_streams(guarded_nats, 32 * MIB)
    followed = await config_of(guarded_nats)
    await changed(guarded_nats, max_bytes=16 * MIB)
    await prepare_streams(guarded_nats, 48 * MIB)
    left = await config_of(guarded_nats)

    assert (followed["max_bytes"], followed["description"]) == (32 * MIB, "ours")
    assert (left["max_bytes"], left["description"]) == (16 * MIB, "ours")


async def test_settings_of_the_consumer_are_left_and_told(guarded_nats):
    await prepare_streams(guarded_nats, 64 * MIB)
    info = await guarded_nats.js.consumer_info("TELEMETRY", "store")
    info.config.max_ack_pending = 100
    await guarded_nats.js.add_consumer("TELEMETRY", info.config)

    with capture_logs() as logs:
        await prepare_streams(guarded_nats, 64 * MIB)

    info = await guarded_nats.js.consumer_info("TELEMETRY", "store")
    assert info.config.max_ack_pending == 100
    (told,) = logs
    assert (told["of"], told["found"]) == ("TELEMETRY > store", {"max_ack_pending": 100})


async def test_a_limit_beyond_the_servers_room_is_named(guarded_nats):
    with pytest.raises(InvalidInputError, match=r"BACKLOG_BYTES.*the stream TELEMETRY"):
        await prepare_streams(guarded_nats, 2**60)


async def test_copies_that_a_server_alone_cannot_keep_are_refused(guarded_nats):
    with pytest.raises(InvalidInputError, match="AETHEROPS_NATS_REPLICAS"):
        await prepare_streams(guarded_nats, 64 * MIB, 3)


async def test_missing_rights_are_named(postgres, postgres_dsn):
    assert await check_rights(postgres) == []

    await postgres.pool.execute("DROP ROLE IF EXISTS asks_only; CREATE ROLE asks_only")
    try:
        await postgres.pool.execute("GRANT SELECT ON ALL TABLES IN SCHEMA public TO asks_only")
        name = await postgres.pool.fetchval("SELECT current_database()")
        await postgres.pool.execute(f"ALTER DATABASE {name} SET role = asks_only")
        async with Postgres.connect(postgres_dsn) as asking:
            with capture_logs() as logs:
                missing = await check_rights(asking)
    finally:
        await postgres.pool.execute("DROP OWNED BY asks_only; DROP ROLE asks_only")

    assert missing[:2] == ["INSERT on stream", "UPDATE on stream"]
    assert "DELETE on chunk" in missing
    assert [line["event"] for line in logs] == ["rights_not_granted"]


@pytest.mark.parametrize("options", [{}, {"max_payload": MIB, "jetstream": {}}])
async def test_a_server_that_lacks_something_is_named(tmp_path, options):
    async with running_server(tmp_path, options) as url, Nats.connect(url) as nats:
        if "jetstream" not in options:
            with pytest.raises(InvalidInputError, match=r"AETHEROPS_NATS_URL.*JetStream"):
                await check_server(nats)
            return
        with capture_logs() as logs:
            await check_server(nats)

    (told,) = logs
    assert (told["event"], told["bytes"]) == ("payload_limited", MIB)


@asynccontextmanager
async def running_server(directory, options):
    """A server of one's own that is set as an operator may have set it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    if "jetstream" in options:
        options = options | {"jetstream": {"store_dir": str(directory)}}
    path = directory / "nats.conf"
    path.write_text(json.dumps({"listen": f"127.0.0.1:{port}"} | options))
    program = Path(sysconfig.get_path("scripts")) / "nats-server"
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        program, "--config", path, stdout=quiet, stderr=quiet
    )
    try:
        async with asyncio.timeout(20):
            while True:
                with suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield f"nats://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()
