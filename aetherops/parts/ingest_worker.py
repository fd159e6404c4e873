"""The ingest worker: takes accepted batches, stores them, and only then acknowledges."""

from __future__ import annotations

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from itertools import compress
from typing import TYPE_CHECKING

import structlog

from aetherops.archive.live import NobodyListens
from aetherops.errors import StoreCannotWriteError, UnavailableError
from aetherops.resilience import retry_backoff
from aetherops.runtime.part import Part
from aetherops.runtime.repeats import Repeats
from aetherops.runtime.unforeseen import keep_going
from aetherops.services.ingest_condition import IngestCondition

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence

    from aetherops.archive.intake import BatchSource, Delivery
    from aetherops.archive.live import Announcer
    from aetherops.archive.store import AcceptedBatch, Receipt, TelemetryStore

__all__ = ["IngestWorker"]

_log = structlog.get_logger(__name__)

_WAIT_S = 1.0
_EXTEND_EVERY_S = 5.0
_FIRST_RETRY_MS, _LAST_RETRY_MS = 100, 5_000
_TRY_AGAIN_MS = 250, 15_000


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
    condition : is told how the store fares.
    max_tries : a batch that could not be written at so many deliveries is set aside. A store
        that is away is waited for instead: nothing is set aside for that.
    clock_s : seconds since 1970, to tell how far the store is behind.
    """

    runs_again = True

    def __init__(
        self,
        source: BatchSource,
        store: TelemetryStore,
        fetch_batches: int,
        announcer: Announcer | None = None,
        *,
        condition: IngestCondition | None = None,
        max_tries: int = 5,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        super().__init__()
        self._source = source
        self._store = store
        self._fetch_batches = fetch_batches
        self._announcer = announcer or NobodyListens()
        self._condition = condition or IngestCondition()
        self._max_tries = max_tries
        self._clock_s = clock_s
        self._is_refused = False
        self._explained: set[type[Exception]] = set()
        self._rejections_failed = Repeats()

    async def run(self) -> None:
        """Work until `stop`, and finish the batches in hand; who is away is waited for."""
        failures = 0
        while not self.stopping:
            try:
                deliveries = await self._source.take(self._fetch_batches, _WAIT_S)
                if deliveries:
                    await self._store_and_acknowledge(deliveries)
                failures = 0
                self._resume()
            except UnavailableError as error:
                # Not acknowledged, so JetStream delivers them again.
                failures += 1
                await self._wait_for(error, failures)

    async def _store_and_acknowledge(self, deliveries: Sequence[Delivery]) -> None:
        async with _extended(deliveries):
            try:
                receipts = await self._write(deliveries)
            except UnavailableError:
                raise
            except Exception as error:
                # One batch that cannot be stored must not hold up the others.
                if len(deliveries) == 1:
                    await self._give_up(deliveries[0], error)
                    return
                half = len(deliveries) // 2
                await self._store_and_acknowledge(deliveries[:half])
                await self._store_and_acknowledge(deliveries[half:])
                return
        for delivery, receipt in zip(deliveries, receipts, strict=True):
            if receipt.refused is None:
                await delivery.acknowledge()
            else:
                await self._set_aside(delivery, receipt.refused)

    async def _give_up(self, delivery: Delivery, error: Exception) -> None:
        """Leave a batch to another try, or set it aside after so many; logged first and last."""
        batch, tries = delivery.accepted.batch.batch_id, delivery.tries
        reason = f"{type(error).__name__}: {error}"
        if tries == 1:
            # A traceback shows where a kind of error comes from; thousands show nothing more.
            shown = None if type(error) in self._explained else error
            self._explained.add(type(error))
            _log.warning("batch_not_stored", batch=str(batch), reason=reason, exc_info=shown)
        if tries < self._max_tries:
            await delivery.give_back(retry_backoff(tries, *_TRY_AGAIN_MS) / 1_000)
            return
        await self._set_aside(delivery, reason)

    async def _set_aside(self, delivery: Delivery, reason: str) -> None:
        try:
            await delivery.set_aside(reason)
        except UnavailableError as why:
            # It is delivered again, and holds up none of those that came with it.
            batch = delivery.accepted.batch.batch_id
            if Repeats.is_told(failures := self._rejections_failed.count("")):
                _log.error("rejection_failed", batch=str(batch), reason=str(why), failures=failures)
        else:
            self._rejections_failed.forget("")

    async def _write(self, deliveries: Sequence[Delivery]) -> list[Receipt]:
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
                await self._wait_for(error, failures)
            else:
                self._resume()
                self._note_stored(deliveries, receipts)
                stored = [r.refused is None for r in receipts]
                self._announce(list(compress(batches, stored)))
                return receipts

    def _note_stored(self, deliveries: Sequence[Delivery], receipts: Sequence[Receipt]) -> None:
        self._condition.lag_s = max(0.0, self._clock_s() - deliveries[-1].accepted_us / 1e6)
        _log.debug(
            "batches_stored",
            batches=len(receipts),
            stored=sum(receipt.stored for receipt in receipts),
        )

    def _announce(self, batches: Sequence[AcceptedBatch]) -> None:
        """Tell of committed batches; no listener may keep them from being acknowledged."""
        try:
            self._announcer.announce(batches)
        except Exception:
            _log.exception("announcement_failed", batches=len(batches))

    async def _wait_for(self, error: UnavailableError, failures: int) -> None:
        """Wait before a new try; told once for all workers, and when it has ended."""
        if isinstance(error, StoreCannotWriteError):
            self._is_refused = True
            if self._condition.begin_refusal(error.reason):
                _log.error("store_refused", dependency=error.dependency, reason=error.reason)
        elif self._condition.pauses.wait(self, error.dependency):
            _log.warning("ingest_paused", dependency=error.dependency, reason=str(error))
        await self.pause(retry_backoff(failures, _FIRST_RETRY_MS, _LAST_RETRY_MS) / 1_000)

    def _resume(self) -> None:
        if self._is_refused and self._condition.end_refusal():
            _log.warning("store_recovered")
        self._is_refused = False
        for ended in self._condition.pauses.go_on(self):
            _log.warning("ingest_resumed", **asdict(ended))


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
