"""The application over a store in memory, asked through ASGI with real tokens."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from uuid import uuid4

import httpx
import numpy as np
import pytest

from aetherops.api.application import ApiServices, create_application
from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import AcceptedBatch
from aetherops.archive.stream import Stream, StreamName
from aetherops.identity.keys import SigningKey
from aetherops.identity.operators import Operator
from aetherops.identity.tokens import TokenIssuer, TokenVerifier
from aetherops.resilience import BreakerRegistry
from aetherops.runtime.data_dir.disk import DiskFullError
from aetherops.runtime.settings import Settings
from aetherops.services.readiness import ReadinessCheck

SECOND = 1_000_000
START_US = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z


class ImmediateQueue:
    """A queue whose batches reach the store before `put` returns."""

    def __init__(self, store: MemoryTelemetryStore) -> None:
        self._store = store
        self._version = 0

    async def put(self, batch: SampleBatch) -> None:
        self._version += 1
        await self._store.write([AcceptedBatch(batch, self._version)])


@dataclass
class Dependencies:
    """What the application asks whether it is ready."""

    answers: dict[str, bool] = field(
        default_factory=lambda: {"postgres": True, "nats": True, "redis": True}
    )

    async def __call__(self) -> dict[str, bool]:
        return self.answers


@dataclass
class FillingDisk:
    """What is asked whether there is room."""

    is_full: bool = False

    def __call__(self) -> None:
        if self.is_full:
            raise DiskFullError(free_bytes=1, needed_bytes=2)


@dataclass
class Platform:
    """Everything around one application under test."""

    key: SigningKey = field(default_factory=SigningKey.generate)
    store: MemoryTelemetryStore = field(default_factory=MemoryTelemetryStore)
    dependencies: Dependencies = field(default_factory=Dependencies)
    breakers: BreakerRegistry = field(default_factory=BreakerRegistry)
    disk: FillingDisk = field(default_factory=FillingDisk)
    settings: Settings = field(default_factory=lambda: Settings(max_answer_points=20_000))

    def __post_init__(self) -> None:
        self.queue = ImmediateQueue(self.store)

    def token(self, *roles: str, lifetime_s: float = 600, now: float | None = None) -> str:
        operator = Operator("op-7", "Ada", frozenset(roles or ("engineer",)))
        issued = time.time() if now is None else now
        return TokenIssuer(self.key).issue(operator, lifetime_s, issued)

    def services(self, **changes) -> ApiServices:
        parts = {
            "store": self.store,
            "intake": self.queue,
            "verifier": TokenVerifier([self.key.verifying_key]),
            "readiness": ReadinessCheck(self.dependencies, self.breakers, self.disk),
            "breakers": self.breakers,
            "settings": self.settings,
        }
        return ApiServices(**(parts | changes))

    def client(self, token: str | None = None, **changes) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {self.token() if token is None else token}"}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(create_application(self.services(**changes))),
            base_url="http://platform",
            headers=headers if token != "" else {},
        )

    async def keep(self, name: str, times_us, values, *, unit: str = "km", kind: str = "gauge"):
        """Store samples of one stream."""
        stream = Stream(StreamName.parse(name), unit, kind)
        samples = Samples.of(times_us, values)
        await self.queue.put(SampleBatch(uuid4(), (Series(stream, samples),)))


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.fixture
async def client(platform: Platform) -> AsyncIterator[httpx.AsyncClient]:
    async with platform.client() as client:
        yield client


@pytest.fixture
def ask(client: httpx.AsyncClient) -> Callable:
    """Ask a GraphQL question; returns the decoded answer."""

    async def ask(query: str, **variables) -> dict:
        response = await client.post("/graphql", json={"query": query, "variables": variables})
        return response.json()

    return ask


@pytest.fixture
async def altitude(platform: Platform) -> Samples:
    """An hour of a stream at 1 Hz, ten minutes of it missing, with one sample far off."""
    seconds = np.concatenate([np.arange(1200), np.arange(1800, 3600)])
    values = 400 + np.sin(seconds / 300)
    values[100] = 450
    samples = Samples.of(START_US + seconds * SECOND, values)
    await platform.keep("orbit/sat-7/altitude_km", samples.times_us, samples.values)
    return samples
