"""Batches that were set aside: what an operator sees of them, and does with them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.archive.codec import decode_accepted_batch
from aetherops.errors import AetherOpsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.archive.intake import RejectedBatch, RejectedBatches
    from aetherops.archive.samples import SampleBatch

__all__ = ["RejectedControl", "ShownBatch"]


@dataclass(frozen=True, slots=True, eq=False)
class ShownBatch:
    """A batch that was set aside, and what it holds; no `batch` where its bytes are none."""

    rejected: RejectedBatch
    batch: SampleBatch | None

    @classmethod
    def of(cls, rejected: RejectedBatch) -> ShownBatch:
        """The batch, decoded where that is possible."""
        try:
            return cls(rejected, decode_accepted_batch(rejected.data))
        except AetherOpsError:
            return cls(rejected, None)


class RejectedControl:
    """Lists, shows, replays and drops batches that were set aside."""

    def __init__(self, batches: RejectedBatches) -> None:
        self._batches = batches

    async def list(self, after: int, limit: int) -> Sequence[ShownBatch]:
        """Those whose ids follow `after`, at most so many."""
        return [ShownBatch.of(one) for one in await self._batches.list(after, limit)]

    async def show(self, rejected_id: int) -> ShownBatch:
        """One of them; raises `NotFoundError`."""
        return ShownBatch.of(await self._batches.get(rejected_id))

    async def replay(self, rejected_id: int) -> None:
        """Have it stored once more: its cause is gone. Its place in the order stays."""
        await self._batches.replay(rejected_id)

    async def drop(self, rejected_id: int) -> None:
        """Give it up for good."""
        await self._batches.drop(rejected_id)
