"""Operators look at circuit breakers, and hold them where they must."""

import pytest

from aetherops.resilience import BreakerPolicy, BreakerRegistry, State

ALL = """{ circuitBreakers {
  name state override consecutiveFailures secondsToProbe calls { success failure refused }
} }"""
HOLD = """mutation ($name: String!, $override: CircuitBreakerOverride!) {
  holdCircuitBreaker(name: $name, override: $override) { state override }
}"""
RESET = "mutation ($name: String!) { resetCircuitBreaker(name: $name) { state override } }"


class Clock:
    def __init__(self):
        self.now_ns = 0

    def __call__(self):
        return self.now_ns


@pytest.fixture
def breakers():
    policy = BreakerPolicy(failure_threshold=2, reset_timeout_s=30)
    registry = BreakerRegistry({"postgres": policy, "nats": policy}, clock=Clock())
    registry.get("postgres")
    registry.get("nats")
    return registry


@pytest.fixture
def ask_as(platform, breakers):
    async def ask_as(role, query, **variables):
        async with platform.client(platform.token(role), breakers=breakers) as client:
            answer = await client.post("/graphql", json={"query": query, "variables": variables})
        return answer.json()

    return ask_as


def fail(breaker):
    with pytest.raises(OSError), breaker.guard():
        raise OSError


async def test_a_reader_sees_where_each_breaker_stands(ask_as, breakers):
    for _ in range(2):
        fail(breakers.get("postgres"))

    nats, postgres = (await ask_as("viewer", ALL))["data"]["circuitBreakers"]

    assert (nats["name"], nats["state"], nats["secondsToProbe"]) == ("nats", "CLOSED", None)
    assert postgres == {
        "name": "postgres",
        "state": "OPEN",
        "override": "NONE",
        "consecutiveFailures": 2,
        "secondsToProbe": 30.0,
        "calls": {"success": 0, "failure": 2, "refused": 0},
    }


async def test_an_admin_holds_a_breaker_and_releases_it(ask_as, breakers):
    held = await ask_as("admin", HOLD, name="postgres", override="FORCED_OPEN")
    assert held["data"]["holdCircuitBreaker"] == {"state": "OPEN", "override": "FORCED_OPEN"}
    assert breakers.get("postgres").state is State.OPEN

    released = await ask_as("admin", HOLD, name="postgres", override="NONE")
    assert released["data"]["holdCircuitBreaker"]["override"] == "NONE"


async def test_an_admin_resets_a_breaker(ask_as, breakers):
    for _ in range(2):
        fail(breakers.get("nats"))

    answer = await ask_as("flight-director", RESET, name="nats")

    assert answer["data"]["resetCircuitBreaker"] == {"state": "CLOSED", "override": "NONE"}


@pytest.mark.parametrize("role", ["viewer", "operator", "engineer"])
async def test_others_may_not_hold_a_breaker(ask_as, breakers, role):
    answer = await ask_as(role, HOLD, name="postgres", override="FORCED_OPEN")

    assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"
    assert breakers.get("postgres").state is State.CLOSED


async def test_a_breaker_that_does_not_exist_is_not_made(ask_as, breakers):
    answer = await ask_as("admin", RESET, name="mysql")

    assert answer["errors"][0]["extensions"]["code"] == "NOT_FOUND"
    assert len(breakers) == 2


async def test_a_move_that_the_breaker_cannot_make_is_a_conflict(ask_as):
    answer = await ask_as("admin", HOLD, name="postgres", override="NONE")

    assert answer["errors"][0]["extensions"]["code"] == "CONFLICT"


async def test_metrics_show_each_breaker(platform, breakers):
    fail(breakers.get("postgres"))
    async with platform.client("", breakers=breakers) as client:
        lines = (await client.get("/metrics")).text.splitlines()

    assert 'circuitbreaker_state{name="postgres",state="closed"} 1.0' in lines
    assert 'circuitbreaker_calls_total{kind="failure",name="postgres"} 1.0' in lines
