"""What the platform needs of the queue that batches wait in between acceptance and the store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from aetherops.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.archive.samples import SampleBatch
    from aetherops.archive.store import AcceptedBatch

__all__ = [
    "Backlog",
    "BacklogFullError",
    "BatchQueue",
    "BatchSource",
    "Delivery",
    "QueueCondition",
    "RejectedBatch",
    "RejectedBatches",
]


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


@dataclass(frozen=True, slots=True)
class QueueCondition:
    """How the queue fares, for whoever watches over it.

    Parameters
    ----------
    oldest_us : when the batch that has waited longest was accepted; None where none waits.
    deliveries : of batches to workers, ever.
    redelivered : waiting batches that were delivered before.
    rejected, rejections : batches that are set aside now, and that ever were.
    """

    backlog: Backlog
    oldest_us: int | None
    deliveries: int
    redelivered: int
    rejected: int
    rejections: int


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
        much waits already; the batch may be sent again under the same id. `LimitExceededError`
        where the queue will never take so large a batch.
        """
        ...


class Delivery(Protocol):
    """One accepted batch in the hands of a worker, until it is acknowledged."""

    @property
    def accepted(self) -> AcceptedBatch:
        """The batch and its version."""
        ...

    @property
    def accepted_us(self) -> int:
        """When the queue took it, by the queue's clock."""
        ...

    @property
    def tries(self) -> int:
        """How often it has been delivered, this time included."""
        ...

    async def acknowledge(self) -> None:
        """The batch is stored: never deliver it again."""
        ...

    async def extend(self) -> None:
        """Work goes on: do not deliver it to another worker yet."""
        ...

    async def give_back(self, after_s: float) -> None:
        """It was not stored: deliver it again, to any worker, after so many seconds."""
        ...

    async def set_aside(self, reason: str) -> None:
        """It cannot be stored: keep it apart with the reason, and never deliver it again."""
        ...


class BatchSource(Protocol):
    """Where a worker takes accepted batches from; each is delivered until acknowledged."""

    async def take(self, limit: int, wait_s: float) -> Sequence[Delivery]:
        """Up to `limit` batches, as soon as there is one; none after `wait_s` seconds."""
        ...


@dataclass(frozen=True, slots=True)
class RejectedBatch:
    """An accepted batch that was set aside, because it could not be stored.

    Parameters
    ----------
    rejected_id : by which operators name it.
    rejected_us : when it was set aside.
    reason : what writing it met.
    data : the batch as it was accepted (`archive.codec`); what is no batch is kept too.
    """

    rejected_id: int
    rejected_us: int
    reason: str
    data: bytes


class RejectedBatches(Protocol):
    """Batches that were set aside; kept until an operator replays or drops them."""

    async def count(self) -> int:
        """How many there are."""
        ...

    async def list(self, after: int = 0, limit: int = 100) -> Sequence[RejectedBatch]:
        """Those whose ids follow `after`, the first that was set aside first."""
        ...

    async def get(self, rejected_id: int) -> RejectedBatch:
        """One of them; raises `NotFoundError`."""
        ...

    async def replay(self, rejected_id: int) -> None:
        """Put it on the queue again, where it stood in the order of acceptance."""
        ...

    async def drop(self, rejected_id: int) -> None:
        """Forget it for good; raises `NotFoundError`."""
        ...
