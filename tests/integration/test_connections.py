"""The guarded handles of the three servers: their errors are ours, their breakers see the truth."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest
import pytest_asyncio
from redis.exceptions import ResponseError

from aetherops.connections.endpoints import Endpoints
from aetherops.connections.nats import Nats
from aetherops.connections.nats_events import NatsEventBus
from aetherops.connections.postgres import Answer, Postgres, answer_of
from aetherops.connections.redis import Redis
from aetherops.errors import InvalidInputError, UnavailableError, UnreachableError
from aetherops.resilience import BreakerOpenError, Override, State
from aetherops.runtime.embedded.nats import EmbeddedNats

pytestmark = pytest.mark.integration


@pytest.fixture
def nats(guarded_nats: Nats) -> Nats:
    return guarded_nats


@pytest.fixture
def redis(guarded_redis: Redis) -> Redis:
    return guarded_redis


def calls(handle: Postgres | Nats | Redis) -> tuple[int, int]:
    """Successes and failures that the breaker has counted."""
    totals = handle.breaker.snapshot().totals
    return totals.success, totals.failure


@pytest.fixture(params=["postgres", "guarded_nats", "guarded_redis"])
def handle(request: pytest.FixtureRequest) -> Postgres | Nats | Redis:
    return request.getfixturevalue(request.param)


def used(handle: Postgres | Nats | Redis):
    return handle.connection() if isinstance(handle, Postgres) else handle.guarded()


@pytest_asyncio.fixture
async def slow_to_close(postgres_dsn: str) -> AsyncIterator[tuple[str, asyncio.Event]]:
    """DSN of a way to PostgreSQL that stays open when the server has closed it, and when it has."""
    url = urlsplit(postgres_dsn)
    socket = parse_qs(url.query)["host"][0] + "/.s.PGSQL.5432"
    links: list[asyncio.StreamWriter] = []
    closed = asyncio.Event()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(65536):
            writer.write(chunk)
        closed.set()

    async def link(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(socket)
        links.extend([writer, server_writer])
        with suppress(OSError):
            await asyncio.gather(pump(reader, server_writer), pump(server_reader, writer))

    server = await asyncio.start_server(link, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield f"postgresql://{url.username}@127.0.0.1:{port}{url.path}?sslmode=disable", closed
    server.close()
    for writer in links:
        writer.transport.abort()


class TestEveryHandle:
    async def test_an_open_breaker_refuses_a_use_and_a_probe_asks_all_the_same(self, handle):
        handle.breaker.force(Override.FORCED_OPEN)
        with pytest.raises(BreakerOpenError):
            async with used(handle):
                pytest.fail("an open breaker let a use through")
        assert await handle.probe()

    async def test_an_error_of_the_block_is_the_callers_and_no_failure(self, handle):
        with pytest.raises(ZeroDivisionError):
            async with used(handle):
                raise ZeroDivisionError
        assert calls(handle) == (1, 0)

    async def test_a_use_that_is_cancelled_says_nothing_about_the_server(self, handle):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01), used(handle):
                await asyncio.sleep(10)
        assert calls(handle) == (0, 0)

    @pytest.mark.parametrize(
        "connect",
        [lambda at: Postgres.connect(at.postgres_dsn), lambda at: Nats.connect(at.nats_url)],
    )
    async def test_a_closed_handle_is_unavailable_at_once(self, servers, connect):
        async with connect(servers) as handle:
            await handle.close()
            assert not await handle.probe()
            with pytest.raises(UnavailableError):
                async with used(handle):
                    pytest.fail("a closed handle was used")


class TestPostgres:
    async def test_a_transaction_is_kept_whole_or_not_at_all(self, postgres: Postgres):
        async with postgres.transaction() as connection:
            await connection.execute("CREATE TABLE kept (n integer)")
        with suppress(ZeroDivisionError):
            async with postgres.transaction() as connection:
                await connection.execute("INSERT INTO kept VALUES (1)")
                raise ZeroDivisionError
        async with postgres.connection() as connection:
            assert await connection.fetchval("SELECT count(*) FROM kept") == 0

    @pytest.mark.parametrize(
        ("query", "argument", "error"),
        [
            ("SELECT nonsense", None, asyncpg.UndefinedColumnError),
            ("SELECT $1::bigint", 2**63, asyncpg.DataError),
            ("SELECT 1 / $1::bigint", 0, asyncpg.DivisionByZeroError),
        ],
    )
    async def test_a_wrong_question_is_the_askers_fault(
        self, postgres: Postgres, query: str, argument: int | None, error: type[Exception]
    ):
        arguments = [] if argument is None else [argument]
        with pytest.raises(error):
            async with postgres.connection() as connection:
                await connection.fetchval(query, *arguments)
        assert calls(postgres) == (1, 0)

    async def test_a_session_that_is_ended_is_unavailability_and_the_next_use_works(
        self, postgres: Postgres
    ):
        with pytest.raises(UnavailableError, match="postgres") as caught:
            async with postgres.connection() as connection:
                await connection.fetchval("SELECT pg_terminate_backend(pg_backend_pid())")
        assert isinstance(caught.value.__cause__, asyncpg.PostgresError | asyncpg.InterfaceError)
        async with postgres.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1
        assert calls(postgres) == (1, 1)

    async def test_a_session_whose_end_is_told_before_its_connection_closes_is_unavailability(
        self, postgres: Postgres, slow_to_close: tuple[str, asyncio.Event]
    ):
        dsn, closed = slow_to_close
        async with Postgres.connect(dsn, pool_size=1, command_timeout_s=5) as told:
            async with told.connection() as connection:
                pid = await connection.fetchval("SELECT pg_backend_pid()")
            await postgres.pool.execute(f"SELECT pg_terminate_backend({pid})")
            await closed.wait()
            await asyncio.sleep(0.05)  # for the word to be heard; where it was not, it times out
            with pytest.raises(UnavailableError):
                async with told.connection() as connection:
                    await connection.fetchval("SELECT 1")
            assert calls(told) == (1, 1)

    async def test_a_command_that_takes_too_long_is_a_failure(self, postgres_dsn: str):
        async with Postgres.connect(postgres_dsn, command_timeout_s=0.05) as postgres:
            with pytest.raises(UnavailableError):
                async with postgres.connection() as connection:
                    await connection.fetchval("SELECT pg_sleep(10)")
            assert calls(postgres) == (0, 1)

    async def test_a_deadlock_may_be_tried_again_and_opens_no_breaker(self, postgres: Postgres):
        await postgres.pool.execute("CREATE TABLE place (n integer); INSERT INTO place VALUES (1)")
        await postgres.pool.execute("INSERT INTO place VALUES (2)")
        both_hold_one = asyncio.Barrier(2)

        async def take(first: int, second: int) -> None:
            async with postgres.transaction() as connection:
                await connection.execute("SET LOCAL deadlock_timeout = '10ms'")
                lock = "SELECT FROM place WHERE n = $1 FOR UPDATE"
                await connection.execute(lock, first)
                await both_hold_one.wait()
                await connection.execute(lock, second)

        outcomes = await asyncio.gather(take(1, 2), take(2, 1), return_exceptions=True)
        (failure,) = [outcome for outcome in outcomes if outcome is not None]
        assert isinstance(failure, UnavailableError)
        assert isinstance(failure.__cause__, asyncpg.DeadlockDetectedError)
        assert calls(postgres) == (2, 0)

    @pytest.mark.parametrize(
        ("dsn", "shown"),
        [
            (
                "postgresql://ops:hunter2@127.0.0.1:1/x",
                r"postgres at postgresql://\*\*\*@127.0.0.1:1/x",
            ),
            ("postgresql://ops:hunter2@/x?host=/nonexistent", "cannot be reached"),
        ],
    )
    async def test_who_cannot_be_reached_is_named_without_the_password(self, dsn: str, shown: str):
        with pytest.raises(UnreachableError, match=shown) as caught:
            async with Postgres.connect(dsn):
                pass
        assert "hunter2" not in str(caught.value)
        assert await answer_of(dsn) is Answer.NONE

    async def test_an_address_of_another_kind_is_an_input_error(self):
        with pytest.raises(InvalidInputError, match=r"^postgres_dsn: "):
            async with Postgres.connect("mysql://db/x"):
                pass


class TestNats:
    async def test_events_reach_those_who_listen_as_json(self, nats: Nats):
        subscription = await nats.client.subscribe("aetherops.test")
        await NatsEventBus(nats).publish("aetherops.test", {"n": 1})
        message = await subscription.next_msg(10)
        assert json.loads(message.data) == {"n": 1}

    async def test_a_refusal_of_jetstream_is_unavailability_and_does_not_count(self, nats: Nats):
        with pytest.raises(UnavailableError):
            async with nats.guarded():
                await nats.js.stream_info("NONE")
        assert calls(nats) == (0, 0)

    async def test_an_answer_that_does_not_come_is_a_failure(self, nats: Nats):
        with pytest.raises(UnavailableError):
            async with nats.guarded() as client:
                await client.request("nobody.listens", b"", timeout=0.05)
        assert calls(nats) == (0, 1)

    async def test_who_cannot_be_reached_is_named_without_the_token(self):
        shown = r"nats at nats://\*\*\*@127.0.0.1:1 cannot be reached"
        with pytest.raises(UnreachableError, match=shown) as caught:
            async with Nats.connect("nats://hunter2@127.0.0.1:1", connect_timeout_s=0.3):
                pass
        assert "hunter2" not in str(caught.value)

    async def test_a_lost_connection_is_refused_at_once_and_comes_back_by_itself(self, tmp_path):
        server = EmbeddedNats(tmp_path)
        async with Nats.connect(await server.start()) as nats:
            await server.stop()
            await until(lambda: not nats.client.is_connected)
            with pytest.raises(UnavailableError) as caught:
                await NatsEventBus(nats).publish("aetherops.test", {})
            assert isinstance(caught.value.__cause__, ConnectionError)
            assert not await nats.probe()

            await server.start()
            await until(lambda: nats.client.is_connected)
            await NatsEventBus(nats).publish("aetherops.test", {})
            assert calls(nats) == (1, 1)
        await server.stop()


class TestRedis:
    async def test_a_use_is_a_use_of_the_client(self, redis: Redis):
        async with redis.guarded() as client:
            await client.set("kept", "7")
            assert await client.get("kept") == b"7"
        assert calls(redis) == (1, 0)

    async def test_a_wrong_question_is_the_askers_fault(self, redis: Redis):
        await redis.client.set("text", "x")
        with pytest.raises(ResponseError, match="WRONGTYPE"):
            async with redis.guarded() as client:
                await client.lpush("text", "y")
        assert calls(redis) == (1, 0)

    async def test_a_server_that_is_full_is_unavailability(self, redis: Redis):
        await redis.client.config_set("maxmemory", "1")
        try:
            with pytest.raises(UnavailableError, match="redis"):
                async with redis.guarded() as client:
                    await client.set("one", "more")
        finally:
            await redis.client.config_set("maxmemory", "0")
        assert calls(redis) == (0, 1)

    async def test_an_answer_that_does_not_come_is_a_failure(
        self, servers: Endpoints, redis: Redis
    ):
        async with Redis.connect(servers.redis_url, command_timeout_s=0.05) as hasty:
            await redis.client.client_pause(1_000)
            with pytest.raises(UnavailableError):
                async with hasty.guarded() as client:
                    await client.get("anything")
            assert calls(hasty) == (0, 1)

    async def test_a_connection_that_the_server_has_closed_is_made_again(
        self, servers: Endpoints, redis: Redis
    ):
        async with Redis.connect(servers.redis_url) as other:
            client_id = await redis.client.client_id()
            await other.client.client_kill_filter(_id=str(client_id))
        async with redis.guarded() as client:
            assert await client.ping()
        assert redis.breaker.state is State.CLOSED

    async def test_an_address_of_another_kind_is_an_input_error(self):
        with pytest.raises(InvalidInputError, match=r"^redis_url: "):
            async with Redis.connect("http://db"):
                pass

    async def test_who_cannot_be_reached_is_named_without_the_password(self):
        shown = r"redis at redis://\*\*\*@127.0.0.1:1 cannot be reached"
        with pytest.raises(UnreachableError, match=shown) as caught:
            async with Redis.connect("redis://:hunter2@127.0.0.1:1"):
                pass
        assert "hunter2" not in str(caught.value)


async def until(reached: Callable[[], bool]) -> None:
    """Give way until something is so."""
    async with asyncio.timeout(30):
        while not reached():
            await asyncio.sleep(0.01)
