"""Unit and kind of a stream: what the store says holds, and a batch that says otherwise is refused.

A batch that says nothing changes nothing. The first that is stored describes a stream that is new;
after that only an operator changes it.
"""

from __future__ import annotations

from shlex import quote
from typing import TYPE_CHECKING, NamedTuple, Self

from aetherops.errors import RefusedError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from uuid import UUID

    from aetherops.archive.store import AcceptedBatch
    from aetherops.archive.stream import Stream, StreamName
    from aetherops.audit.trail import AuditEntry, Authorship

__all__ = ["Metadata", "StreamConflictError", "conflict_of", "refusals"]

_KIND_UNSAID = "gauge"
_DESCRIBED = "stream.describe"


class Metadata(NamedTuple):
    """What the store says of a stream; an empty unit says that it is unknown."""

    unit: str
    kind: str

    @classmethod
    def first_said(cls, stream: Stream) -> Self:
        """Of a stream that is new: what its first batch says."""
        return cls(stream.unit, stream.kind or _KIND_UNSAID)

    def changed(self, unit: str | None, kind: str | None) -> Metadata:
        """With another unit or kind, where one is given."""
        return Metadata(self.unit if unit is None else unit, self.kind if kind is None else kind)

    def entry_of(self, after: Metadata, name: StreamName, author: Authorship) -> AuditEntry:
        """What is kept of a change: the fields that differ."""
        differ = [field for field in self._fields if getattr(self, field) != getattr(after, field)]
        old, new = ({field: getattr(one, field) for field in differ} for one in (self, after))
        return author.entry(_DESCRIBED, str(name), old, new)


class StreamConflictError(RefusedError):
    """A batch says another unit or kind than its stream has.

    Parameters
    ----------
    stream : name of the stream.
    field : ``"unit"`` or ``"kind"``.
    stored, given : what the stream has, and what came.
    """

    def __init__(self, stream: str, field: str, stored: str, given: str) -> None:
        self.stream = stream
        self.field = field
        self.stored = stored
        self.given = given
        super().__init__(stream, field, stored, given)

    def __str__(self) -> str:
        has = f"the {self.field} {shown(self.stored)}" if self.stored else f"no {self.field}"
        return (
            f"{self.stream} has {has}, got {shown(self.given)}: leave the {self.field} out if the "
            f"values are in that of the stream, or have an operator change what is said of all its "
            f"samples by `aetherops streams set {self.stream} --{self.field} {quote(self.given)}`"
        )


def conflict_of(stream: Stream, stored: Metadata) -> StreamConflictError | None:
    """How what a batch says of a stream differs from what the store says; None if not."""
    if stream.unit not in ("", stored.unit):
        return StreamConflictError(str(stream.name), "unit", stored.unit, stream.unit)
    if stream.kind not in ("", stored.kind):
        return StreamConflictError(str(stream.name), "kind", stored.kind, stream.kind)
    return None


def refusals(
    batches: Iterable[AcceptedBatch], stored: Mapping[StreamName, Metadata]
) -> dict[UUID, StreamConflictError]:
    """Which of the batches cannot be stored for what they say, in the order of acceptance.

    Parameters
    ----------
    stored : of the streams that the store has; a new one is described by the first batch with it.
    """
    known = dict(stored)
    found: dict[UUID, StreamConflictError] = {}
    for accepted in sorted(batches, key=lambda one: one.version):
        described: dict[StreamName, Metadata] = {}
        for stream in accepted.batch.streams:
            metadata = known.get(stream.name)
            if metadata is None:
                described[stream.name] = Metadata.first_said(stream)
            elif (conflict := conflict_of(stream, metadata)) is not None:
                found[accepted.batch.batch_id] = conflict
                break
        else:
            known |= described
    return found
