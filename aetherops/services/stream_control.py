"""Streams as operators change them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.archive.stream import KINDS, Stream
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from aetherops.archive.store import StreamRecord, TelemetryStore
    from aetherops.archive.stream import StreamName
    from aetherops.audit.trail import Authorship

__all__ = ["StreamControl"]


class StreamControl:
    """Changes what is said of streams; every change is kept in the audit trail."""

    def __init__(self, store: TelemetryStore) -> None:
        self._store = store

    async def describe(
        self, name: StreamName, author: Authorship, *, unit: str | None, kind: str | None
    ) -> StreamRecord:
        """Change unit or kind of a stream, for all its samples; what is None stays.

        Raises
        ------
        InvalidInputError
            Nothing is given, or what is given is no unit or kind.
        NotFoundError
            There is no such stream.
        """
        if unit is None and kind is None:
            raise InvalidInputError("unit", None, "a unit, a kind, or both")
        if kind == "":
            raise InvalidInputError("kind", kind, f"one of {', '.join(KINDS)}")
        Stream(name, unit or "", kind or "")
        return await self._store.describe(name, author, unit=unit, kind=kind)
