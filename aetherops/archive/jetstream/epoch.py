"""Which epoch of the order of acceptance the queue is in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from aetherops.archive.jetstream.streams import STREAM
from aetherops.connections.nats_streams import stream_document

if TYPE_CHECKING:
    from aetherops.archive.acceptance import AcceptanceEpochs
    from aetherops.connections.nats import Nats

__all__ = ["QueueEpoch"]

_log = structlog.get_logger(__name__)


class QueueEpoch:
    """Knows the epoch of the queue's messages, and begins another where the queue is another.

    Parameters
    ----------
    nats : has the queue.
    epochs : keeps the epochs.
    """

    def __init__(self, nats: Nats, epochs: AcceptanceEpochs) -> None:
        self._nats = nats
        self._epochs = epochs
        self._queue: str | None = None
        self._seen = 0
        self._connection = 0
        self.number = 0

    async def find(self) -> None:
        """Learn the epoch, where it is not known or the connection has been made anew since."""
        connection = self._nats.client.stats["reconnects"]
        if self._queue is None or connection != self._connection:
            await self._resolve()
            self._connection = connection

    async def still_holds(self, highest: int) -> bool:
        """Whether messages that came since `find`, up to this sequence, are of this epoch.

        The queue is the same after them as before them, and queues never come back.
        """
        async with self._nats.guarded():
            document = await stream_document(self._nats, STREAM)
        if _identity(document) == self._queue and document["state"]["last_seq"] >= self._seen:
            self._seen = max(self._seen, highest)
            return True
        self._queue = None
        return False

    async def _resolve(self) -> None:
        while True:
            # What is stored is read first: the queue has taken at least that, if it is the same.
            latest = await self._epochs.latest()
            async with self._nats.guarded():
                document = await stream_document(self._nats, STREAM)
            queue, taken = _identity(document), document["state"]["last_seq"]
            if latest is not None and latest.queue == queue and latest.stored <= taken:
                self._queue, self._seen, self.number = queue, latest.stored, latest.number
                return
            await self._epochs.open(queue, latest)
            if latest is not None:
                _log.warning("epoch_opened", queue=queue, taken=taken)


def _identity(document: dict[str, Any]) -> str:
    """When the stream was made, to the nanosecond: the server keeps it, and never changes it."""
    return f"{STREAM} {document['created']}"
