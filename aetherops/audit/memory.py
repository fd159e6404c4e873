"""An audit trail in memory, for tests, notebooks and programs without servers."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from aetherops.audit.trail import KeptEntry

if TYPE_CHECKING:
    from aetherops.audit.trail import AuditEntry

__all__ = ["MemoryAuditTrail"]


class MemoryAuditTrail:
    """`AuditTrail` in a list."""

    def __init__(self) -> None:
        self._entries: list[KeptEntry] = []

    async def append(self, entry: AuditEntry) -> None:
        """See `AuditTrail.append`."""
        self._entries.append(KeptEntry(len(self._entries) + 1, entry))

    async def entries(
        self, *, subject: str | None = None, after: int = 0, limit: int = 100
    ) -> list[KeptEntry]:
        """See `AuditTrail.entries`."""
        found = (
            kept
            for kept in self._entries
            if kept.entry_id > after and subject in (None, kept.entry.subject)
        )
        return list(islice(found, limit))
