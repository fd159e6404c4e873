"""Health, readiness and metrics: open to all, and silent about secrets."""

import asyncio

import pytest

from aetherops.api import health
from aetherops.resilience import BreakerPolicy, BreakerRegistry, Override, State


@pytest.mark.parametrize("path", ["/livez", "/healthz", "/readyz", "/metrics"])
async def test_no_token_is_needed(platform, path):
    async with platform.client("") as client:
        assert (await client.get(path)).status_code == 200


async def test_a_platform_whose_servers_answer_is_ready(client):
    response = await client.get("/readyz")
    assert response.json() == {
        "ready": True,
        "questions": True,
        "ingest": True,
        "reasons": [],
        "dependencies": {"nats": True, "postgres": True, "redis": True},
    }


@pytest.mark.parametrize(
    ("away", "status", "questions", "ingest"),
    [
        ("redis", 200, True, True),
        ("nats", 200, True, False),
        ("postgres", 200, False, True),
        ("postgres nats", 503, False, False),
        ("postgres redis", 200, False, True),
        ("postgres nats redis", 503, False, False),
    ],
)
async def test_a_replica_is_ready_as_long_as_it_can_do_something(
    client, platform, away, status, questions, ingest
):
    platform.dependencies.answers |= dict.fromkeys(away.split(), False)
    response = await client.get("/readyz")
    answer = response.json()
    assert response.status_code == status
    assert ("Retry-After" in response.headers) == (status == 503)
    assert answer["ready"] == (status == 200)
    assert (answer["questions"], answer["ingest"]) == (questions, ingest)
    told = {reason.split(" does not answer: ")[0] for reason in answer["reasons"]}
    assert told == set(away.split())
    assert (await client.get("/livez")).status_code == 200


async def test_a_full_disk_takes_ingest_away_and_leaves_questions(client, platform):
    platform.disk.is_full = True
    response = await client.get("/readyz")
    answer = response.json()
    assert response.status_code == 200
    assert (answer["questions"], answer["ingest"]) == (True, False)
    assert answer["reasons"][0].startswith("the disk is full: ")


async def test_a_breaker_that_is_held_open_keeps_this_replica_from_its_server(client, platform):
    platform.breakers = BreakerRegistry(default=BreakerPolicy())
    platform.breakers.get("postgres").force(Override.FORCED_OPEN)
    async with platform.client() as client:
        answer = (await client.get("/readyz")).json()
    assert (answer["questions"], answer["ingest"]) == (False, True)
    assert answer["dependencies"]["postgres"]
    assert answer["reasons"] == [
        "postgres is held off by its circuit breaker: "
        "questions are refused, accepted batches wait in the queue"
    ]


async def test_an_open_breaker_is_no_reason(client, platform):
    """It is tried again by requests: without them, a server that is back would never be seen."""
    platform.breakers = BreakerRegistry(default=BreakerPolicy(failure_threshold=1))
    breaker = platform.breakers.get("postgres")
    with pytest.raises(OSError, match="away"), breaker.guard():
        raise OSError("away")
    assert breaker.state is State.OPEN
    async with platform.client() as client:
        assert (await client.get("/readyz")).json()["questions"]


async def test_readiness_that_does_not_answer_is_not_ready(platform, monkeypatch):
    monkeypatch.setattr(health, "_READINESS_TIMEOUT_S", 0.01)

    async def hang():
        await asyncio.sleep(3600)

    async with platform.client(readiness=hang) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503


async def test_requests_and_samples_are_counted(client):
    await client.post("/v1/telemetry", json={"stream": "a/b/c", "times": [0, 1], "values": [1, 2]})
    await client.post("/graphql", json={"query": "{ nothing }"})
    await client.get("/nowhere/at/all")
    text = (await client.get("/metrics")).text
    assert "aetherops_accepted_samples_total 2.0" in text
    assert 'aetherops_graphql_errors_total{code="BAD_INPUT"} 1.0' in text
    counted = 'aetherops_http_requests_total{method="POST",route="/v1/telemetry",status="202"} 1.0'
    assert counted in text
    assert 'route="other",status="404"' in text
    assert "nowhere" not in text
    assert 'aetherops_http_request_duration_seconds_count{route="/graphql"} 1.0' in text


async def test_a_client_cannot_make_new_series(client):
    for i in range(5):
        await client.request(f"VERB{i}", f"/path-{i}")
    text = (await client.get("/metrics")).text
    assert 'method="other",route="other",status="404"} 5.0' in text
