"""Events to whoever listens on NATS subjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from nats.aio.client import Client

    from aetherops.telemetry.jetstream import GuardedClient

__all__ = ["NatsEventBus"]


class NatsEventBus:
    """Publishes events as JSON; NATS keeps none for those who do not listen.

    Parameters
    ----------
    client : the connection.
    guard : the same connection behind its circuit breaker.
    """

    def __init__(self, client: Client, guard: GuardedClient) -> None:
        self._client = client
        self._guard = guard

    async def publish(self, subject: str, event: Mapping[str, object]) -> None:
        """Tell whoever listens; raises `UnavailableError`."""
        async with self._guard.guarded():
            await self._client.publish(subject, orjson.dumps(event))
