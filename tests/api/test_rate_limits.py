"""Bursts pass, sustained abuse is refused, and the answer says when to come again."""

import numpy as np
import pytest

from aetherops.api.admission import Admission, Gate
from aetherops.api.metrics.registry import Metrics
from aetherops.errors import UnavailableError
from aetherops.ratelimit import BucketLimit, Rate, TokenBucket
from aetherops.ratelimit.ports import LocalAsAsync
from aetherops.ratelimit.shadow import AsyncShadowLimiter
from aetherops.ratelimit.shared.limiter import SharedLimiter

SECOND = 1_000_000
START = 1_767_225_600 * SECOND
BATCH = {"stream": "orbit/sat-7/altitude_km", "times": [START, START + 1], "values": [1.0, 2.0]}


class Clock:
    now_ns = 0

    def __call__(self):
        return self.now_ns


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limited(platform, clock):
    """A client of the platform with one gate; keyword arguments name it and its limit."""

    def limited(gate, burst, per_s, *, token=None, shadow=False):
        limit = BucketLimit(burst, Rate.of(per_s))
        limiter = LocalAsAsync(TokenBucket(burst, per_s, clock_ns=clock))
        metrics = Metrics()
        made = Gate(gate, AsyncShadowLimiter(limiter) if shadow else limiter, [limit], metrics)
        return platform.client(token, admission=Admission(**{gate: made}), metrics=metrics)

    return limited


async def test_ingest_costs_an_operator_its_samples(limited, clock):
    async with limited("ingest", burst=5, per_s=1) as client:
        first = await client.post("/v1/telemetry", json=BATCH)
        await client.post("/v1/telemetry", json=BATCH)
        refused = await client.post("/v1/telemetry", json=BATCH)
        clock.now_ns += 1_000_000_000
        later = await client.post("/v1/telemetry", json=BATCH)

    assert first.status_code == 202
    assert first.headers["RateLimit-Policy"] == '"ingest";q=5;w=5'
    assert first.headers["RateLimit"] == '"ingest";r=3;t=2'
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["error"] == {
        "code": "THROTTLED",
        "message": "rate limit 'ingest': try again in 1 s",
        "policy": "ingest",
        "retryAfter": 1,
    }
    assert later.status_code == 202


@pytest.mark.parametrize(
    ("gate", "path", "body"),
    [
        ("addresses", "/graphql", {"query": "{ __typename }"}),
        ("queries", "/graphql", {"query": "{ __typename }"}),
        ("ingest", "/v1/telemetry", BATCH),
        ("ingest", "/v1/telemetry", {**BATCH, "times": [1, 2, 3], "values": [1, 2, 3]}),
    ],
    ids=["address", "query", "batch", "batch above the burst"],
)
async def test_every_refusal_tells_the_policy_what_is_left_and_when_to_come(
    limited, gate, path, body
):
    async with limited(gate, burst=2, per_s=1) as client:
        answers = [await client.post(path, json=body) for _ in range(3)]
    refused = answers[-1]
    assert refused.status_code == 429
    assert refused.headers["RateLimit-Policy"] == f'"{gate}";q=2;w=2'
    assert refused.headers["RateLimit"].startswith(f'"{gate}";r=')
    assert int(refused.headers["Retry-After"]) >= 1


async def test_a_refused_batch_is_not_kept(limited, platform):
    async with limited("ingest", burst=2, per_s=1) as client:
        await client.post("/v1/telemetry", json=BATCH)
        await client.post("/v1/telemetry", json={**BATCH, "stream": "orbit/sat-8/altitude_km"})

    assert [str(r.stream.name) for r in await platform.store.streams()] == [BATCH["stream"]]


async def test_a_batch_above_the_burst_is_told_that_waiting_does_not_help(limited):
    async with limited("ingest", burst=1, per_s=1) as client:
        refused = await client.post("/v1/telemetry", json=BATCH)

    assert refused.status_code == 429
    assert refused.json()["error"]["message"] == "rate limit 'ingest': at most 1 at once"
    assert refused.json()["error"]["retryAfter"] is None


async def test_operators_have_limits_of_their_own(limited, platform):
    async with limited("ingest", burst=2, per_s=1) as client:
        await client.post("/v1/telemetry", json=BATCH)
        refused = await client.post("/v1/telemetry", json=BATCH)
    async with limited("ingest", burst=2, per_s=1, token=platform.token("operator")) as client:
        other = await client.post("/v1/telemetry", json=BATCH)

    assert (refused.status_code, other.status_code) == (429, 202)


async def test_a_query_costs_one_and_one_for_every_ten_thousand_samples_it_reads(limited, platform):
    await platform.keep("orbit/sat-7/altitude_km", START + np.arange(35_000), np.zeros(35_000))
    query = """{ telemetry(stream: "orbit/sat-7/altitude_km", range: {
        start: "2026-01-01T00:00:00Z", end: "2026-01-01T01:00:00Z"}) { statistics { count } } }"""
    async with limited("queries", burst=10, per_s=1) as client:
        answer = await client.post("/graphql", json={"query": query})

    assert answer.headers["RateLimit"].startswith('"queries";r=6;')  # 1 + 3 for 35,000 samples


async def test_a_query_beyond_the_limit_is_429_in_the_form_of_graphql(limited):
    async with limited("queries", burst=1, per_s=1) as client:
        await client.post("/graphql", json={"query": "{ __typename }"})
        refused = await client.post("/graphql", json={"query": "{ __typename }"})

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "1"
    assert refused.json()["errors"][0]["extensions"] == {
        "code": "THROTTLED",
        "policy": "queries",
        "retryAfter": 1,
    }


async def test_a_read_that_costs_too_much_is_refused_before_it_is_made(limited, platform):
    await platform.keep("orbit/sat-7/altitude_km", START + np.arange(35_000), np.zeros(35_000))
    query = """{ telemetry(stream: "orbit/sat-7/altitude_km", range: {
        start: "2026-01-01T00:00:00Z", end: "2026-01-01T01:00:00Z"}) { statistics { count } } }"""
    async with limited("queries", burst=3, per_s=1) as client:
        refused = await client.post("/graphql", json={"query": query})

    assert refused.status_code == 429
    assert refused.json()["errors"][0]["extensions"]["code"] == "THROTTLED"


async def test_an_address_is_refused_before_its_token_is_read_and_health_never(limited):
    async with limited("addresses", burst=1, per_s=1, token="") as client:
        first = await client.get("/graphql?query={__typename}")
        refused = await client.get("/graphql?query={__typename}")
        health = await client.get("/healthz")

    assert (first.status_code, refused.status_code, health.status_code) == (401, 429, 200)


async def test_limits_that_only_watch_refuse_nothing_and_count_what_they_would_have(limited):
    async with limited("ingest", burst=2, per_s=1, shadow=True) as client:
        answers = [await client.post("/v1/telemetry", json=BATCH) for _ in range(3)]
        metrics = (await client.get("/metrics")).text

    assert {answer.status_code for answer in answers} == {202}
    counted = 'ratelimit_requests_total{policy="ingest",reason="shadowed",result="granted"} 2.0'
    assert counted in metrics


async def test_each_limit_shows_its_keys_and_how_long_its_decisions_take(limited):
    async with limited("addresses", burst=9, per_s=1) as client:
        before = (await client.get("/metrics")).text
        await client.get("/graphql?query={__typename}")
        after = (await client.get("/metrics")).text

    assert 'ratelimit_tracked_keys{policy="addresses"} 0.0' in before
    assert 'ratelimit_tracked_keys{policy="addresses"} 1.0' in after
    assert 'ratelimit_decision_duration_seconds_count{policy="addresses"} 1.0' in after
    assert 'ratelimit_decision_duration_seconds_bucket{le="0.1",policy="addresses"}' in after
    assert "ratelimit_fallbacks_total{" not in after  # it has no store to lose


class SilentStore:
    """Shared counters that never answer."""

    limits = (BucketLimit(100, Rate.of(1)),)

    async def take(self, key, least, most, replicas=0):
        raise UnavailableError("store")


async def test_decisions_without_the_shared_store_are_counted_by_what_is_done_then(platform):
    metrics = Metrics()
    limiter = SharedLimiter(SilentStore(), on_failure="fail_open")
    gate = Gate("ingest", AsyncShadowLimiter(limiter), SilentStore.limits, metrics)
    async with platform.client(admission=Admission(ingest=gate), metrics=metrics) as client:
        for _ in range(3):
            await client.post("/v1/telemetry", json=BATCH)
        shown = (await client.get("/metrics")).text

    assert 'ratelimit_fallbacks_total{on_failure="fail_open",policy="ingest"} 3.0' in shown
    # The breaker opened at the first error, so the store was not asked again.
    assert 'ratelimit_backend_errors_total{policy="ingest"} 1.0' in shown
    assert 'ratelimit_tracked_keys{policy="ingest"} 0.0' in shown
