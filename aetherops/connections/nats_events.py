"""Events to whoever listens on NATS subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.connections.nats import Nats

__all__ = ["NatsEventBus"]


class NatsEventBus:
    """`EventBus` that publishes JSON; NATS keeps none for those who do not listen."""

    def __init__(self, nats: Nats) -> None:
        self._nats = nats

    async def publish(self, subject: str, event: Mapping[str, object]) -> None:
        """See `EventBus.publish`."""
        async with self._nats.guarded() as client:
            await client.publish(subject, orjson.dumps(event))
