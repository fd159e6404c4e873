"""The ingest worker: takes accepted batches, stores them, and only then acknowledges."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import structlog

from aetherops.archive.live import NobodyListens
from aetherops.errors import UnavailableError
from aetherops.resilience import retry_backoff
from aetherops.runtime.part import Part
from aetherops.runtime.unforeseen import keep_going

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from aetherops.archive.intake import BatchSource, Delivery
    from aetherops.archive.live import Announcer
    from aetherops.archive.store import AcceptedBatch, TelemetryStore

__all__ = ["IngestWorker"]

_log = structlog.get_logger(__name__)

_WAIT_S = 1.0
_EXTEND_EVERY_S = 5.0
_FIRST_RETRY_MS, _LAST_RETRY_MS = 100, 5_000


class IngestWorker(Part):
    """Moves batches from the queue into the store; any number may run, in any processes.

    A batch is acknowledged after the transaction that holds it has committed. A worker that
    dies in between leaves it to another, and its receipt makes the second write a no-op.

    Parameters
    ----------
    source : where batches are taken from.
    store : where they go.
    fetch_batches : the most batches in one transaction.
    announcer : is told of batches once they are committed.
    """

    runs_again = True

    def __init__(
        self,
        source: BatchSource,
        store: TelemetryStore,
        fetch_batches: int,
        announcer: Announcer | None = None,
    ) -> None:
        super().__init__()
        self._source = source
        self._store = store
        self._fetch_batches = fetch_batches
        self._announcer = announcer or NobodyListens()

    async def run(self) -> None:
        """Work until `stop`, and finish the batches in hand; who is away is waited for."""
        failures = 0
        while not self.stopping:
            try:
                deliveries = await self._source.take(self._fetch_batches, _WAIT_S)
                if deliveries:
                    await self._store_and_acknowledge(deliveries)
                failures = 0
            except UnavailableError as error:
                # Not acknowledged, so JetStream delivers them again.
                failures += 1
                await self._wait_for(error.dependency, failures)

    async def _store_and_acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        async with _extended(deliveries):
            try:
                await self._write(deliveries)
            except UnavailableError:
                raise
            except Exception:
                # One batch that cannot be stored must not hold up the others.
                if len(deliveries) == 1:
                    batch_id = deliveries[0].accepted.batch.batch_id
                    _log.exception("batch_not_stored", batch=str(batch_id))
                    return
                for delivery in deliveries:
                    await self._store_and_acknowledge([delivery])
                return
        for delivery in deliveries:
            await delivery.acknowledge()

    async def _write(self, deliveries: Sequence[Delivery]) -> None:
        """Write with the batches in hand again and again while only the store is away."""
        failures = 0
        batches = [one.accepted for one in deliveries]
        while True:
            try:
                receipts = await self._store.write(batches)
            except UnavailableError as error:
                if self.stopping:
                    raise
                failures += 1
                await self._wait_for(error.dependency, failures)
            else:
                _log.debug(
                    "batches_stored",
                    batches=len(receipts),
                    stored=sum(receipt.stored for receipt in receipts),
                )
                self._announce(batches)
                return

    def _announce(self, batches: Sequence[AcceptedBatch]) -> None:
        """Tell of committed batches; no listener may keep them from being acknowledged."""
        try:
            self._announcer.announce(batches)
        except Exception:
            _log.exception("announcement_failed", batches=len(batches))

    async def _wait_for(self, dependency: str, failures: int) -> None:
        retry_s = retry_backoff(failures, _FIRST_RETRY_MS, _LAST_RETRY_MS) / 1_000
        _log.warning("ingest_paused", dependency=dependency, retry_s=retry_s)
        await self.pause(retry_s)


@asynccontextmanager
async def _extended(deliveries: Sequence[Delivery]) -> AsyncIterator[None]:
    """Keep deliveries from going to another worker while the block runs."""

    async def extend() -> None:
        while True:
            await asyncio.sleep(_EXTEND_EVERY_S)
            for delivery in deliveries:
                with suppress(UnavailableError):
                    await delivery.extend()

    task = asyncio.create_task(keep_going("ingest-extend", extend), name="ingest-extend")
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
