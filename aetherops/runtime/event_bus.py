"""Events to whoever listens on NATS subjects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from aetherops.archive.jetstream import GuardedClient

__all__ = ["NatsEventBus"]


class NatsEventBus:
    """Publishes events as JSON; NATS keeps none for those who do not listen."""

    def __init__(self, nats: GuardedClient) -> None:
        self._nats = nats

    async def publish(self, subject: str, event: Mapping[str, object]) -> None:
        """Tell whoever listens; raises `UnavailableError`."""
        async with self._nats.guarded():
            await self._nats.client.publish(subject, orjson.dumps(event))
