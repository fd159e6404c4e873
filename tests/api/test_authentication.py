"""Who may ask, and who may not."""

import time

import pytest

from aetherops.identity.keys import SigningKey
from aetherops.identity.operators import Operator
from aetherops.identity.tokens import TokenIssuer

ROUTES = [
    ("POST", "/graphql", {"query": "{ __typename }"}),
    ("GET", "/graphql?query={__typename}", None),
    ("POST", "/v1/telemetry", {"stream": "a/b/c", "times": [0], "values": [1]}),
    ("POST", "/v1/receipts", {"batches": []}),
]


def code_of(response) -> str:
    body = response.json()
    return body["error"]["code"] if "error" in body else body["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES)
class TestEveryRoute:
    async def test_refuses_who_brings_no_token(self, platform, method, path, body):
        async with platform.client("") as client:
            response = await client.request(method, path, json=body)
        assert response.status_code == 401
        assert code_of(response) == "UNAUTHENTICATED"
        assert response.headers["www-authenticate"].startswith("Bearer")

    async def test_refuses_a_wrong_token(self, platform, method, path, body):
        foreign = TokenIssuer(SigningKey.generate())
        operator = Operator("op-7", "Ada", frozenset({"admin"}))
        async with platform.client(foreign.issue(operator, 600, time.time())) as client:
            response = await client.request(method, path, json=body)
        assert response.status_code == 401
        assert "not signed by a known key" in response.text

    async def test_refuses_an_expired_token(self, platform, method, path, body):
        expired = platform.token(lifetime_s=60, now=time.time() - 3600)
        async with platform.client(expired) as client:
            response = await client.request(method, path, json=body)
        assert response.status_code == 401
        assert "expired" in response.text

    async def test_lets_the_engineer_in(self, platform, method, path, body):
        async with platform.client(platform.token("engineer")) as client:
            response = await client.request(method, path, json=body)
        assert response.status_code in (200, 202)


@pytest.mark.parametrize(("method", "path", "body"), ROUTES[2:])
async def test_who_may_only_read_cannot_write(platform, method, path, body):
    async with platform.client(platform.token("observer")) as client:
        response = await client.request(method, path, json=body)
    assert response.status_code == 403
    assert code_of(response) == "FORBIDDEN"


async def test_who_may_only_read_can_ask(platform):
    async with platform.client(platform.token("observer")) as client:
        response = await client.post("/graphql", json={"query": "{ __typename }"})
    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize("header", ["Basic abc", "Bearer", "Bearer  ", "bearer\tx", "token"])
async def test_only_the_bearer_scheme_is_known(platform, header):
    async with platform.client("") as client:
        response = await client.post("/graphql", json={}, headers={"Authorization": header})
    assert response.status_code == 401
