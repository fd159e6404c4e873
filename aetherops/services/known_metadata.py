"""Units and kinds of streams, known at the edge: a batch that says others is refused there."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from aetherops.archive.metadata import Metadata, conflict_of
from aetherops.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aetherops.archive.store import TelemetryStore
    from aetherops.archive.stream import Stream, StreamName

__all__ = ["KnownMetadata"]

# More unknown streams in one batch are the worker's to check, behind the queue.
_MOST_ASKED = 2_000
_MOST_KEPT = 200_000
_FRESH_S, _ABSENT_S = 30.0, 1.0
# Ingest does not wait for a store that is away or slow: what it would say is checked again there.
_PATIENCE_S, _LEFT_ALONE_S = 1.0, 5.0


class _Known(NamedTuple):
    metadata: Metadata
    is_stored: bool  # else it is what the first batch said of a stream that there was not yet
    until_s: float


class KnownMetadata:
    """Asks the store about a stream when it is first met and now and then, not for each batch.

    What is not known here, or was changed a moment ago elsewhere, the store itself refuses.

    Parameters
    ----------
    store : says what holds.
    clock_s : monotonic seconds.
    """

    def __init__(
        self, store: TelemetryStore, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._clock_s = clock_s
        self._known: dict[StreamName, _Known] = {}
        self._left_alone_until_s = float("-inf")

    async def require_agreement(self, streams: Sequence[Stream]) -> None:
        """Raise `StreamConflictError` where one of them says what is known to be otherwise."""
        now_s = self._clock_s()
        doubted = self._doubted(streams, now_s)
        if not doubted:
            return
        # Where one differs: it may have been changed since it was learnt, or be stored by now.
        await self._learn(doubted, now_s)
        for stream in doubted:
            known = self._known.get(stream.name)
            if known is not None and known.is_stored:
                conflict = conflict_of(stream, known.metadata)
                if conflict is not None:
                    raise conflict

    def _doubted(self, streams: Sequence[Stream], now_s: float) -> list[Stream]:
        """Those that are not known to be as they say. One loop: every batch passes here."""
        known, doubted = self._known, []
        for stream in streams:
            unit, kind = stream.unit, stream.kind
            if unit or kind:
                found = known.get(stream.name)
                if (
                    found is None
                    or now_s >= found.until_s
                    or (unit and unit != found.metadata.unit)
                    or (kind and kind != found.metadata.kind)
                ):
                    doubted.append(stream)
        return doubted

    async def _learn(self, streams: Sequence[Stream], now_s: float) -> None:
        """Ask about some; what the store does not say in time is not known."""
        names = [stream.name for stream in streams]
        for name in names:
            self._known.pop(name, None)
        if len(names) > _MOST_ASKED or now_s < self._left_alone_until_s:
            return
        try:
            async with asyncio.timeout(_PATIENCE_S):
                found = await self._store.metadata(names)
        except (UnavailableError, TimeoutError):
            self._left_alone_until_s = now_s + _LEFT_ALONE_S
            return
        if len(self._known) + len(names) > _MOST_KEPT:
            self._known.clear()
        for stream in streams:
            stored = found.get(stream.name)
            known = _Known(Metadata.first_said(stream), False, now_s + _ABSENT_S)
            if stored is not None:
                known = _Known(stored, True, now_s + _FRESH_S)
            self._known[stream.name] = known
