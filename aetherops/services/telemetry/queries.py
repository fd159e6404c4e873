"""Questions about streams and their samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.services.telemetry.answer import TelemetryAnswer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.archive.store import StreamRecord, TelemetryStore
    from aetherops.archive.stream import StreamName
    from aetherops.services.telemetry.budget import QueryBudget
    from aetherops.services.telemetry.question import TelemetryQuestion

__all__ = ["StreamPage", "TelemetryQueries"]


@dataclass(frozen=True, slots=True)
class StreamPage:
    """Some streams of the catalogue, by name, and whether there are more behind them."""

    records: Sequence[StreamRecord]
    has_next: bool

    @property
    def last_name(self) -> str | None:
        """Where the next page goes on."""
        return str(self.records[-1].stream.name) if self.records else None


class TelemetryQueries:
    """Answers questions about telemetry from a store."""

    def __init__(self, store: TelemetryStore) -> None:
        self._store = store

    async def find(self, name: StreamName) -> StreamRecord:
        """One stream; raises `NotFoundError` for a name that nothing was stored under."""
        return await self._store.find(name)

    async def page(self, prefix: str, after: str, size: int) -> StreamPage:
        """Up to `size` streams whose name begins with `prefix`, the first of them after `after`."""
        # One more than asked tells whether there is another.
        records = await self._store.streams(prefix, after=after, limit=size + 1)
        return StreamPage(records[:size], has_next=len(records) > size)

    async def ask(self, question: TelemetryQuestion, budget: QueryBudget) -> TelemetryAnswer:
        """The answer, of which each part is computed when it is asked for.

        Raises
        ------
        NotFoundError
            Nothing was stored under the stream's name.
        """
        record = await self._store.find(question.stream)
        return TelemetryAnswer(record, question, self._store, budget)
