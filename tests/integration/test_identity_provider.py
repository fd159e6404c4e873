"""An identity provider over HTTP: its tokens are accepted, and no request waits for it."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from aetherops.bootstrap.identity import provider_of
from aetherops.errors import InvalidInputError, UnauthenticatedError, UnavailableError
from aetherops.identity.keys import SigningKey
from aetherops.identity.provider_http import ProviderEndpoint
from aetherops.identity.tokens import TokenVerifier
from aetherops.resilience import Breaker, BreakerPolicy, BreakerRegistry, State
from aetherops.runtime.http.server import HttpServer, listening_socket
from aetherops.runtime.settings import Settings

pytestmark = pytest.mark.integration

ISSUER = "https://login.example"


class LoginServer:
    """A provider that publishes keys, moves, fails and talks too much, as it is told."""

    def __init__(self) -> None:
        self.keys: dict[str, Ed25519PrivateKey] = {}
        self.readings = 0
        self.failing = False
        routes = [
            Route("/keys", self._publish),
            Route("/moved", lambda _: RedirectResponse("/keys")),
            Route("/endless", lambda _: Response(b"x" * 300_000)),
        ]
        self.application = Starlette(routes=routes)

    def sign(self, kid: str) -> str:
        """A token; the key that signs it is made, and published from now on."""
        private = self.keys.setdefault(kid, Ed25519PrivateKey.generate())
        now = int(time.time())
        claims: dict[str, Any] = {"iss": ISSUER, "aud": "aetherops-api", "sub": "ada"}
        claims |= {"iat": now, "exp": now + 600}
        return jwt.encode(claims, private, "EdDSA", headers={"typ": "at+jwt", "kid": kid})

    async def _publish(self, _: object) -> Response:
        self.readings += 1
        if self.failing:
            return Response(status_code=500)
        entries = [
            OKPAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": kid}
            for kid, key in self.keys.items()
        ]
        return Response(json.dumps({"keys": entries}))


@asynccontextmanager
async def running(part):
    task = asyncio.create_task(part.run())
    try:
        yield part
    finally:
        part.stop()
        await task


@pytest.fixture
async def login():
    login = LoginServer()
    with listening_socket("127.0.0.1", 0) as bound:
        login.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        async with running(HttpServer(login.application, bound, 1.0)):
            yield login


def settings(login, **changes) -> Settings:
    return Settings(jwks_url=f"{login.url}/keys", **({"token_issuer": ISSUER} | changes))


async def accepted(verifier: TokenVerifier, token: str):
    """The operator, asked again while the answer is to try again."""
    async with asyncio.timeout(20):
        while True:
            try:
                return verifier.verify(token)
            except UnavailableError:
                await asyncio.sleep(0.01)


async def test_tokens_of_the_provider_are_accepted_beside_the_instances_own(login):
    token = login.sign("first")
    provider, watch = provider_of(settings(login), BreakerRegistry(default=BreakerPolicy()))
    verifier = TokenVerifier([SigningKey.generate().verifying_key], provider=provider)
    async with running(watch):
        assert (await accepted(verifier, token)).operator_id == "ada"
        with pytest.raises(UnauthenticatedError):
            await accepted(verifier, jwt.encode({}, "x" * 32, headers={"typ": "at+jwt"}))


async def test_a_provider_that_is_lost_is_cut_off_and_its_keys_are_trusted_on(login):
    token = login.sign("first")
    breakers = BreakerRegistry(default=BreakerPolicy(failure_threshold=2, reset_timeout_s=60))
    provider, watch = provider_of(settings(login), breakers)
    watch._least_s = watch._period_s = 0.01
    async with running(watch):
        await accepted(TokenVerifier([], provider=provider), token)
        login.failing = True
        async with asyncio.timeout(20):
            while breakers.get("jwks").state is not State.OPEN:
                await asyncio.sleep(0.01)
        readings = login.readings
        await asyncio.sleep(0.1)
        assert login.readings == readings
        assert TokenVerifier([], provider=provider).verify(token).operator_id == "ada"


@pytest.mark.parametrize("path", ["/moved", "/endless", "/nothing"])
async def test_an_answer_that_is_no_key_set_is_unavailability(login, path):
    endpoint = ProviderEndpoint(login.url + path, Breaker("jwks"))
    with pytest.raises(UnavailableError, match="jwks"):
        await endpoint.read()
    await endpoint.aclose()


async def test_a_provider_that_is_not_there_is_unavailability(login):
    endpoint = ProviderEndpoint("http://127.0.0.1:1/keys", Breaker("jwks"))
    with pytest.raises(UnavailableError) as failure:
        await endpoint.read()
    assert isinstance(failure.value.__cause__, httpx.ConnectError)
    await endpoint.aclose()


@pytest.mark.parametrize(
    "url",
    ["http://login.example/keys", "ftp://127.0.0.1/keys", "keys", "https://", "https://a:b/keys"],
)
def test_keys_are_not_read_over_a_channel_that_anybody_may_change(url):
    with pytest.raises(InvalidInputError, match="jwks_url"):
        ProviderEndpoint(url, Breaker("jwks"))


def test_a_provider_needs_an_issuer(login):
    with pytest.raises(ValidationError, match="token_issuer"):
        settings(login, token_issuer=None)


def test_without_an_address_there_is_no_provider():
    assert provider_of(Settings(), BreakerRegistry()) == (None, None)
