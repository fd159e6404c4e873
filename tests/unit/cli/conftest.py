"""The true HTTP application over a store in memory, reached without a network."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import httpx
import pytest

from aetherops.api.application import ApiServices, create_application
from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.archive.samples import SampleBatch
from aetherops.archive.store import AcceptedBatch
from aetherops.cli.connection import Connection
from aetherops.errors import UnavailableError
from aetherops.identity.keys import SigningKey
from aetherops.identity.operators import Operator
from aetherops.identity.tokens import TokenIssuer, TokenVerifier
from aetherops.runtime.settings import Settings


@dataclass
class StoringIntake:
    """Stores a batch as soon as it is accepted; refuses the first `refusals` ones."""

    store: MemoryTelemetryStore
    refusals: int = 0
    stores: bool = True
    accepted: list[SampleBatch] = field(default_factory=list)

    async def put(self, batch: SampleBatch) -> None:
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("nats", 0.01)
        self.accepted.append(batch)
        if self.stores:
            await self.store.write([AcceptedBatch(batch, len(self.accepted))])


class UnreliableTransport(httpx.ASGITransport):
    """Loses the first `losses` answers, after the application has done its work."""

    losses = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await super().handle_async_request(request)
        if self.losses:
            self.losses -= 1
            raise httpx.ReadError("connection lost", request=request)
        return response


@dataclass
class Platform:
    """Everything a client test needs of an instance."""

    store: MemoryTelemetryStore
    intake: StoringIntake
    transport: UnreliableTransport
    connection: Connection


@pytest.fixture
def platform() -> Platform:
    return platform_with(Settings())


@pytest.fixture
def small_platform() -> Platform:
    """One that takes only small requests."""
    return platform_with(Settings(max_request_bytes=4_096))


def platform_with(settings: Settings) -> Platform:
    key = SigningKey.generate()
    store = MemoryTelemetryStore()
    intake = StoringIntake(store)

    async def readiness() -> dict[str, bool]:
        return {"memory": True}

    application = create_application(
        ApiServices(
            store=store,
            intake=intake,
            verifier=TokenVerifier([key.verifying_key]),
            readiness=readiness,
            settings=settings,
        )
    )
    operator = Operator("test", "test", frozenset({"operator"}))
    token = TokenIssuer(key).issue(operator, 600, time.time())
    connection = Connection("http://platform.test", token)
    return Platform(store, intake, UnreliableTransport(application), connection)
