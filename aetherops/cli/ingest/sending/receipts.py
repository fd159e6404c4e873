"""From accepted to stored: receipts of batches, asked for until all are there."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aetherops.cli.outcome import ServerBusyError
from aetherops.errors import LimitExceededError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from aetherops.archive.store import Receipt
    from aetherops.cli.client import Client

__all__ = ["ReceiptFollower", "Stored"]

_MOST_ASKED = 1_000
# Accepted and not stored: beyond this the platform's worker sets the pace.
_MOST_WAITING = 4 * _MOST_ASKED
_FIRST_POLL_S, _LAST_POLL_S = 0.02, 0.5


@dataclass(slots=True)
class Stored:
    """What became of the samples that are stored by now."""

    stored: int = 0
    duplicates: int = 0
    corrected: int = 0
    refused: int = 0
    reasons: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All of them."""
        return self.stored + self.duplicates + self.corrected

    def add(self, receipt: Receipt, samples: int) -> None:
        """Count the samples of one more batch, which had so many."""
        if receipt.refused is not None:
            self.refused += samples
            if receipt.refused not in self.reasons:
                self.reasons.append(receipt.refused)
        self.stored += receipt.stored
        self.duplicates += receipt.duplicates
        self.corrected += receipt.corrected


class ReceiptFollower:
    """Keeps the batches that are accepted, and drops each when its receipt is there.

    Parameters
    ----------
    client : an open client.
    report : told whenever something more is stored.
    stalled_s : how long to wait while batches are accepted and none is stored.
    """

    def __init__(
        self, client: Client, report: Callable[[Stored], None], stalled_s: float = 60.0
    ) -> None:
        self.stored = Stored()
        self._client = client
        self._report = report
        self._stalled_s = stalled_s
        self._waiting: dict[UUID, int] = {}
        self._most_asked = _MOST_ASKED
        self._changed_s = time.monotonic()
        self._closed = False

    @property
    def is_full(self) -> bool:
        """Whether no more should be sent before something is stored."""
        return len(self._waiting) >= _MOST_WAITING

    def add(self, batch_id: UUID, samples: int) -> None:
        """Follow one more accepted batch."""
        if not self._waiting:
            self._changed_s = time.monotonic()
        self._waiting[batch_id] = samples

    def close(self) -> None:
        """No more batches come: `run` returns once the last one is stored."""
        self._closed = True

    async def run(self) -> None:
        """Ask for receipts until `close`, and until every batch has one.

        Raises
        ------
        ServerBusyError, UnreachableError
            For too long nothing was stored, or nobody answered.
        """
        pause_s = _FIRST_POLL_S
        while self._waiting or not self._closed:
            news = await self._collect() if self._waiting else False
            pause_s = _FIRST_POLL_S if news else min(1.5 * pause_s, _LAST_POLL_S)
            if self._waiting or not self._closed:
                await asyncio.sleep(pause_s)

    async def _collect(self) -> bool:
        """Take the receipts that are there; whether there was any."""
        try:
            receipts = await self._client.receipts(list(self._waiting)[: self._most_asked])
        except LimitExceededError as error:
            if self._most_asked == 1:
                raise
            self._most_asked = max(1, self._most_asked * error.limit // (2 * max(error.asked, 1)))
            return True  # ask again at once
        except (UnreachableError, ServerBusyError) as error:
            self._check_stall(error)
            return False
        for receipt in receipts:
            self.stored.add(receipt, self._waiting.pop(receipt.batch_id))
        if receipts:
            self._changed_s = time.monotonic()
            self._report(self.stored)
        else:
            self._check_stall(self._not_stored())
        return bool(receipts)

    def _check_stall(self, error: UnreachableError | ServerBusyError) -> None:
        if time.monotonic() - self._changed_s > self._stalled_s:
            raise error

    def _not_stored(self) -> ServerBusyError:
        return ServerBusyError(
            f"{sum(self._waiting.values()):,} samples are accepted and not stored yet; "
            "they wait in the platform's queue and need not be sent again"
        )
