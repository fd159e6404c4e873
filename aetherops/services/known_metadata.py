"""Units and kinds of streams, known at the edge: a batch that says others is refused there."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, NamedTuple

from aetherops.archive.metadata import conflict_of
from aetherops.errors import UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from aetherops.archive.metadata import Metadata, StreamConflictError
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
    metadata: Metadata | None  # None: there is no such stream yet
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
        saying = [stream for stream in streams if stream.unit or stream.kind]
        if not saying:
            return
        now_s = self._clock_s()
        unknown = [one.name for one in saying if not self._is_fresh(one.name, now_s)]
        await self._learn(unknown, now_s)
        conflicts = self._conflicts(saying)
        if conflicts:
            # It may have been changed since it was learnt, and to be refused wrongly is for good.
            doubted = [stream.name for stream in conflicts if stream.name not in set(unknown)]
            await self._learn(doubted, now_s)
        for conflict in self._conflicts(list(conflicts)).values():
            raise conflict

    def _is_fresh(self, name: StreamName, now_s: float) -> bool:
        known = self._known.get(name)
        return known is not None and now_s < known.until_s

    def _conflicts(self, streams: Sequence[Stream]) -> dict[Stream, StreamConflictError]:
        found = {}
        for stream in streams:
            known = self._known.get(stream.name)
            if known is not None and known.metadata is not None:
                conflict = conflict_of(stream, known.metadata)
                if conflict is not None:
                    found[stream] = conflict
        return found

    async def _learn(self, names: Sequence[StreamName], now_s: float) -> None:
        if not names:
            return
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
        for name in names:
            metadata = found.get(name)
            fresh_s = _ABSENT_S if metadata is None else _FRESH_S
            self._known[name] = _Known(metadata, now_s + fresh_s)
