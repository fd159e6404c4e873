"""Telemetry in: batches to the queue, and receipts of what was stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.services.known_metadata import KnownMetadata

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from aetherops.archive.intake import BatchQueue
    from aetherops.archive.samples import SampleBatch
    from aetherops.archive.store import Receipt, TelemetryStore
    from aetherops.services.metering import Meter

__all__ = ["TelemetryIngest"]


class TelemetryIngest:
    """Accepts batches, and tells what became of them.

    Parameters
    ----------
    queue : keeps accepted batches until they are stored.
    store : has the receipts.
    """

    def __init__(self, queue: BatchQueue, store: TelemetryStore) -> None:
        self._queue = queue
        self._store = store
        self._known = KnownMetadata(store)

    async def accept(self, batch: SampleBatch, meter: Meter) -> None:
        """Put a batch on the queue: once this returns it is kept, and will be stored.

        A batch is accepted whole or not at all. Its samples are what it costs.

        Raises
        ------
        RateLimitedError
            The sender has spent too much; the batch is not kept.
        StreamConflictError
            It says another unit or kind than one of its streams is known to have.
        UnavailableError
            The queue is full or away; the batch may be sent again under the same id.
        """
        await meter.charge(len(batch))
        await self._known.require_agreement(batch.streams)
        await self._queue.put(batch)

    async def receipts(self, batch_ids: Sequence[UUID]) -> list[Receipt]:
        """Receipts of those of the batches that are stored or refused by now."""
        return await self._store.receipts(batch_ids)
