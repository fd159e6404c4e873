"""The queue's exit: deliveries to workers, each until it is acknowledged or set aside."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.archive.acceptance import version_of
from aetherops.archive.codec import decode_accepted_batch
from aetherops.archive.jetstream.epoch import QueueEpoch
from aetherops.archive.jetstream.pull import Pull
from aetherops.archive.jetstream.rejected import kept_version, set_aside
from aetherops.archive.jetstream.streams import always_room
from aetherops.archive.store import AcceptedBatch
from aetherops.errors import AetherOpsError
from aetherops.instants import to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nats.aio.msg import Msg

    from aetherops.archive.acceptance import AcceptanceEpochs
    from aetherops.archive.samples import SampleBatch
    from aetherops.connections.nats import Nats

__all__ = ["JetStreamSource"]

# Up to this, some 2 ms of reading, a thread would cost more than it spares others.
_INLINE_BYTES = 256 * 1024


class JetStreamSource:
    """`BatchSource` over the durable consumer that all workers share.

    Parameters
    ----------
    nats : has the queue.
    epochs : keeps the epochs of the order of acceptance.
    require_room : raises `UnavailableError` where what is taken could not be stored.
    pull : that of the process, shared by its workers; its own where None.
    """

    def __init__(
        self,
        nats: Nats,
        epochs: AcceptanceEpochs,
        require_room: Callable[[], None] = always_room,
        pull: Pull | None = None,
    ) -> None:
        self._nats = nats
        self._require_room = require_room
        self._epoch = QueueEpoch(nats, epochs)
        self._pull = pull or Pull(nats)

    async def take(self, limit: int, wait_s: float) -> list[JetStreamDelivery]:
        """See `BatchSource.take`. What is no batch is set aside at once."""
        self._require_room()
        await self._epoch.find()
        async with self._nats.guarded():
            messages = await self._pull.fetch(limit, wait_s)
        if not messages:
            return []
        highest = max(message.metadata.sequence.stream for message in messages)
        is_known, decoded = await asyncio.gather(
            self._epoch.still_holds(highest), _decoded(messages)
        )
        if not is_known:
            await self._give_back(messages)
            return []
        return await self._deliveries(messages, decoded)

    async def _deliveries(
        self, messages: Sequence[Msg], decoded: Sequence[SampleBatch | AetherOpsError]
    ) -> list[JetStreamDelivery]:
        deliveries = []
        for message, batch in zip(messages, decoded, strict=True):
            version = self._version(message)
            if isinstance(batch, AetherOpsError):
                async with self._nats.guarded():
                    await set_aside(self._nats, message, version, str(batch))
            else:
                accepted = AcceptedBatch(batch, version)
                deliveries.append(JetStreamDelivery(accepted, message, self._nats))
        return deliveries

    async def _give_back(self, messages: Sequence[Msg]) -> None:
        async with self._nats.guarded():
            for message in messages:
                await message.nak()

    def _version(self, message: Msg) -> int:
        """The place in the order of acceptance; what is replayed has that it had before."""
        kept = kept_version(message)
        sequence = message.metadata.sequence.stream
        return version_of(self._epoch.number, sequence) if kept is None else kept


async def _decoded(messages: Sequence[Msg]) -> list[SampleBatch | AetherOpsError]:
    """The batches, or why a message is none; others may run between them, and beside large ones."""
    decoded: list[SampleBatch | AetherOpsError] = []
    for message in messages:
        if len(message.data) > _INLINE_BYTES:
            decoded.append(await asyncio.to_thread(_decode, message.data))
        else:
            await asyncio.sleep(0)
            decoded.append(_decode(message.data))
    return decoded


def _decode(data: bytes) -> SampleBatch | AetherOpsError:
    try:
        return decode_accepted_batch(data)
    except AetherOpsError as reason:
        return reason


@dataclass(frozen=True, slots=True, eq=False)
class JetStreamDelivery:
    """`Delivery` of one JetStream message."""

    accepted: AcceptedBatch
    _message: Msg
    _nats: Nats

    @property
    def accepted_us(self) -> int:
        """See `Delivery.accepted_us`."""
        return to_us(self._message.metadata.timestamp)

    @property
    def tries(self) -> int:
        """See `Delivery.tries`."""
        return self._message.metadata.num_delivered

    async def acknowledge(self) -> None:
        """See `Delivery.acknowledge`."""
        async with self._nats.guarded():
            await self._message.ack()

    async def extend(self) -> None:
        """See `Delivery.extend`."""
        async with self._nats.guarded():
            await self._message.in_progress()

    async def give_back(self, after_s: float) -> None:
        """See `Delivery.give_back`."""
        async with self._nats.guarded():
            await self._message.nak(after_s)

    async def set_aside(self, reason: str) -> None:
        """See `Delivery.set_aside`."""
        async with self._nats.guarded():
            await set_aside(self._nats, self._message, self.accepted.version, reason)
