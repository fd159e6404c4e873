"""What the platform needs of the queue that batches wait in between acceptance and the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aetherops.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.archive.samples import SampleBatch
    from aetherops.archive.store import AcceptedBatch

__all__ = ["Backlog", "BacklogFullError", "BatchQueue", "BatchSource", "Delivery"]


@dataclass(frozen=True, slots=True)
class Backlog:
    """How full the queue is.

    Parameters
    ----------
    batches, bytes : what waits to be stored.
    limit_bytes : the most that may wait; 0 for no limit.
    taken : batches that the queue has ever taken.
    """

    batches: int
    bytes: int
    limit_bytes: int
    taken: int


class BacklogFullError(UnavailableError):
    """As much waits to be stored as may: the queue is well, and takes more once some is stored."""

    def __init__(self, retry_after_s: float = 5.0) -> None:
        super().__init__("ingest backlog", retry_after_s)
        self.args = (retry_after_s,)

    def __str__(self) -> str:
        return f"the ingest backlog is full, try again in {self.retry_after_s:g} s"


class BatchQueue(Protocol):
    """Where accepted batches go."""

    async def put(self, batch: SampleBatch) -> None:
        """Keep a batch durably; once this returns the batch will reach the store.

        Raises `UnavailableError` where that cannot be promised, `BacklogFullError` where too
        much waits already; the batch may be sent again under the same id.
        """
        ...


class Delivery(Protocol):
    """One accepted batch in the hands of a worker, until it is acknowledged."""

    @property
    def accepted(self) -> AcceptedBatch:
        """The batch and its version."""
        ...

    async def acknowledge(self) -> None:
        """The batch is stored: never deliver it again."""
        ...

    async def extend(self) -> None:
        """Work goes on: do not deliver it to another worker yet."""
        ...


class BatchSource(Protocol):
    """Where a worker takes accepted batches from; each is delivered until acknowledged."""

    async def take(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        """Up to `limit` batches, as soon as there is one; none after `wait_s` seconds."""
        ...
