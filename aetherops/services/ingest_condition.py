"""How ingest fares: written by the workers and the watch of this process, read by who shows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aetherops.services.ingest_pauses import IngestPauses

if TYPE_CHECKING:
    from aetherops.archive.intake import QueueCondition

__all__ = ["IngestCondition"]


@dataclass(slots=True)
class IngestCondition:
    """What metrics and readiness say of ingest.

    Parameters
    ----------
    queue : the queue as it was last read; None where it has not been.
    store_refusal : why the store cannot write, while it cannot.
    refusals : times that the store began to refuse.
    lag_s : from the acceptance of the batch stored last until it was stored.
    pauses : what workers wait for.
    """

    queue: QueueCondition | None = None
    store_refusal: str | None = None
    refusals: int = 0
    lag_s: float = 0.0
    pauses: IngestPauses = field(default_factory=IngestPauses)

    def begin_refusal(self, reason: str) -> bool:
        """Note that the store cannot write; whether that is new."""
        is_new = self.store_refusal is None
        self.store_refusal = reason
        self.refusals += is_new
        return is_new

    def end_refusal(self) -> bool:
        """Note that the store has written; whether it could not before."""
        was_refused = self.store_refusal is not None
        self.store_refusal = None
        return was_refused

    def degradations(self) -> dict[str, str]:
        """What is wrong with ingest, by name: nothing where all is well."""
        found: dict[str, str] = {}
        if self.store_refusal is not None:
            found["store"] = f"the store cannot write: {self.store_refusal}"
        if self.queue is not None and self.queue.rejected:
            count = self.queue.rejected
            found["rejected"] = f"{count:,} batch{'es are' if count > 1 else ' is'} set aside"
        return found
