"""A store that answers and cannot write: batches wait, it is told once, and nobody else suffers."""

from __future__ import annotations

import re
from uuid import uuid4

import asyncpg
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from structlog.testing import capture_logs

from aetherops.api.metrics.ingest import IngestCollector
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import LimitExceededError, StoreCannotWriteError
from aetherops.parts.ingest_watch import IngestWatch
from aetherops.resilience import BreakerRegistry, State
from aetherops.services.readiness import ReadinessCheck

pytestmark = pytest.mark.integration


async def demote(pool):
    name = await pool.fetchval("SELECT current_database()")
    await pool.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    await pool.expire_connections()


async def promote(pool):
    async with pool.acquire() as connection:
        await connection.execute("SET default_transaction_read_only = off")
        name = await connection.fetchval("SELECT current_database()")
        await connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")


async def lose_table(pool):
    await pool.execute("ALTER TABLE receipt RENAME TO receipt_elsewhere")


async def regain_table(pool):
    await pool.execute("ALTER TABLE receipt_elsewhere RENAME TO receipt")


@pytest.mark.parametrize(
    ("lose", "regain", "reason"),
    [(demote, promote, "read-only transaction"), (lose_table, regain_table, "does not exist")],
)
async def test_batches_wait_and_it_is_told_once(ingest, eventually, lose, regain, reason):
    batches = [ingest.batch(i * 100) for i in range(12)]
    await lose(ingest.postgres.pool)
    for batch in batches:
        await ingest.queue.put(batch)

    with capture_logs() as logs:
        async with ingest.working(max_tries=1):
            await eventually(lambda: ingest.condition.store_refusal)
            assert reason in ingest.condition.degradations()["store"]
            assert ingest.postgres.breaker.state is State.CLOSED
            await regain(ingest.postgres.pool)
            await ingest.receipts(batches)
            await eventually(lambda: not ingest.condition.degradations())

    assert await ingest.rejected.count() == 0
    told = [line["event"] for line in logs if line["log_level"] not in ("debug", "info")]
    assert told == ["store_refused", "store_recovered"]
    assert not any("exc_info" in line for line in logs)


async def written_as(postgres, role):
    async with postgres.transaction() as connection:
        await connection.execute(f"SET LOCAL ROLE {role}")
        await connection.execute("INSERT INTO receipt VALUES (gen_random_uuid(), 1, 1, 1)")


async def test_readiness_tells_what_ingest_suffers_from_and_stays_ready(ingest):
    async def all_answer():
        return {"postgres": True, "nats": True, "redis": True}

    check = ReadinessCheck(
        all_answer, BreakerRegistry({}), lambda: None, ingest.condition.degradations
    )
    ingest.condition.begin_refusal("read-only transaction")
    found = await check()
    ingest.condition.end_refusal()

    assert (found.ready, found.ingest) == (True, True)
    assert found.reasons == ["the store cannot write: read-only transaction"]
    assert (await check()).reasons == []


async def test_rights_that_were_taken_are_no_fault_of_a_batch(ingest, postgres_pool):
    await postgres_pool.execute(
        "DROP ROLE IF EXISTS reader_only; CREATE ROLE reader_only; "
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_only"
    )
    try:
        with pytest.raises(StoreCannotWriteError, match="permission denied"):
            await written_as(ingest.postgres, "reader_only")
    finally:
        await postgres_pool.execute("DROP OWNED BY reader_only; DROP ROLE reader_only")


async def test_a_full_disk_opens_no_breaker(ingest):
    for _ in range(20):
        with pytest.raises(StoreCannotWriteError, match="No space left"):
            async with ingest.postgres.transaction():
                raise asyncpg.DiskFullError("could not extend file: No space left on device")
    assert ingest.postgres.breaker.state is State.CLOSED


async def test_a_batch_beyond_the_queues_messages_is_refused_for_good(ingest):
    one = Samples.of([0], [1.0])
    names = [StreamName("fleet", "a-long-name-of-a-source", f"channel-{i}") for i in range(150_000)]
    wide = SampleBatch(uuid4(), tuple(Series(Stream(name), one) for name in names))
    for _ in range(6):
        with pytest.raises(LimitExceededError, match="max_payload of NATS"):
            await ingest.queue.put(wide)
    assert ingest.nats.breaker.snapshot().totals.failure == 0
    assert ingest.nats.client.is_connected
    await ingest.queue.put(ingest.batch())


async def test_a_batch_of_too_many_series_is_told_the_limit_that_it_meets(ingest, client):
    series = [
        {"stream": f"fleet/a-source/channel-{i}", "times": [0], "values": [1]}
        for i in range(100_000)
    ]
    for _ in range(6):
        answer = await client.post("/v1/telemetry", json={"series": series})
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (413, "LIMIT_EXCEEDED")
        assert error["what"] == "bytes of one batch in the queue (max_payload of NATS)"
        assert error["limit"] < error["asked"]
    assert ingest.nats.breaker.state is State.CLOSED


async def test_metrics_show_what_waits_and_what_was_set_aside(ingest, eventually):
    await ingest.queue.put(ingest.batch())
    await ingest.nats.js.publish("telemetry.batch", b"not a batch")
    watch = IngestWatch(ingest.queue, ingest.condition, period_s=0.01)
    assert shown(ingest)["aetherops_ingest_store_refusing"] == 0

    ingest.condition.queue = await watch._queue.condition()
    waiting = shown(ingest)
    async with ingest.working():
        await eventually(ingest.rejected.count)
    ingest.condition.queue = await watch._queue.condition()
    after = shown(ingest)

    assert waiting["aetherops_ingest_backlog_batches"] == 2
    assert waiting["aetherops_ingest_backlog_bytes"] > 1_600
    assert 0 <= waiting["aetherops_ingest_oldest_batch_age_seconds"] < 60
    assert after["aetherops_ingest_rejected_batches"] == 1
    assert after["aetherops_ingest_rejections_total"] == 1
    assert after["aetherops_ingest_deliveries_total"] >= 2
    assert after["aetherops_ingest_accepted_batches_total"] == 2
    assert ingest.condition.degradations() == {"rejected": "1 batch is set aside"}


def shown(ingest) -> dict[str, float]:
    registry = CollectorRegistry()
    registry.register(IngestCollector(ingest.condition))
    lines = re.findall(r"^(\w+) (\S+)$", generate_latest(registry).decode(), re.MULTILINE)
    return {name: float(value) for name, value in lines}
