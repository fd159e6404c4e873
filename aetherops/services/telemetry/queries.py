"""Questions about streams and their samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.services.telemetry.answer import TelemetryAnswer
from aetherops.services.telemetry.room import SampleRoom

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.archive.store import StreamRecord, TelemetryStore
    from aetherops.archive.stream import StreamName
    from aetherops.services.telemetry.budget import QueryBudget
    from aetherops.services.telemetry.question import TelemetryQuestion

__all__ = ["StreamPage", "TelemetryQueries"]

# As many come along with the first look at a range: a day at 1 Hz, with its chunks' edges.
_LOOK_SAMPLES = 131_072
_DEFAULT_ROOM = 4_000_000


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
    """Answers questions about telemetry from a store.

    Parameters
    ----------
    room : for the samples of all questions together; by default for four million.
    """

    def __init__(self, store: TelemetryStore, room: SampleRoom | None = None) -> None:
        self._store = store
        self._room = room or SampleRoom(_DEFAULT_ROOM)

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
        UnavailableError
            There was no room for its samples in time.
        """
        window = question.window
        at_most = 0 if question.extremes_only else _LOOK_SAMPLES
        lease = await self._room.take(at_most)
        try:
            look = await self._store.look(question.stream, window.start_us, window.end_us, at_most)
        except BaseException:
            lease.release()
            raise
        lease.shrink(0 if look.samples is None else look.count)
        return TelemetryAnswer(look, question, self._store, budget, self._room, lease)
