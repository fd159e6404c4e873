"""Health, readiness and metrics: open to all, and silent about secrets."""

import asyncio

import pytest

from aetherops.api import health


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_no_token_is_needed(platform, path):
    async with platform.client("") as client:
        assert (await client.get(path)).status_code == 200


async def test_a_platform_whose_servers_answer_is_ready(client):
    response = await client.get("/readyz")
    assert response.json() == {
        "ready": True,
        "down": [],
        "dependencies": {"nats": True, "postgres": True},
    }


async def test_what_is_down_is_named(client, platform):
    platform.dependencies.answers["nats"] = False
    response = await client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["down"] == ["nats"]
    assert (await client.get("/healthz")).status_code == 200


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
