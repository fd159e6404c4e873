"""What the platform needs of a telemetry store. `postgres` and `memory` keep this promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from aetherops.aggregation.moments import Moments
    from aetherops.archive.metadata import Metadata
    from aetherops.archive.samples import SampleBatch, Samples
    from aetherops.archive.stream import Stream, StreamName
    from aetherops.audit.trail import Authorship

__all__ = [
    "AcceptedBatch",
    "ChunkSummary",
    "Look",
    "Receipt",
    "StreamRecord",
    "SummarisedRange",
    "TelemetryStore",
]


@dataclass(frozen=True, slots=True, eq=False)
class AcceptedBatch:
    """A batch with its place in the order of acceptance.

    Parameters
    ----------
    version : grows with every accepted batch. Of two samples at one instant the one with
        the higher version counts, in whatever order they are stored.
    """

    batch: SampleBatch
    version: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a batch's samples once it was stored.

    Parameters
    ----------
    stored : samples at instants that had none before.
    duplicates : samples that changed nothing: there already, instant and value, or at an instant
        that a later version had reached before.
    corrected : samples that took the place of another value at their instant.
    refused : why nothing of it was stored, where it says what its streams are not; it was then
        set aside. None for a stored one.
    """

    batch_id: UUID
    stored: int
    duplicates: int
    corrected: int
    refused: str | None = None


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """A stream as the store knows it: how many samples it holds, and over which instants.

    ``first_us`` and ``last_us`` (both included) are ``None`` where ``count`` is 0.
    """

    stream: Stream
    count: int
    first_us: int | None
    last_us: int | None


@dataclass(frozen=True, slots=True)
class ChunkSummary:
    """What a chunk says of its samples without being unpacked.

    Parameters
    ----------
    start_us, end_us : instants of its first and its last sample.
    moments : of its values.
    """

    start_us: int
    end_us: int
    moments: Moments


@dataclass(frozen=True, slots=True, eq=False)
class SummarisedRange:
    """All samples of a range, each counted once: in order of time the three parts.

    Parameters
    ----------
    before : samples of the chunk that reaches over the start of the range, and of one that
        reaches over both its ends.
    chunks : summaries of the chunks that lie in the range whole.
    after : samples of the chunk that reaches over the end.
    """

    before: Samples
    chunks: tuple[ChunkSummary, ...]
    after: Samples


@dataclass(frozen=True, slots=True, eq=False)
class Look:
    """A stream and a range of it at a glance.

    Parameters
    ----------
    count : at most how many samples `TelemetryStore.read` of the range would decode.
    samples : what it would give, where `count` is no more than was asked for.
    """

    record: StreamRecord
    count: int
    samples: Samples | None


class TelemetryStore(Protocol):
    """Keeps every accepted sample: one value for an instant, exact whatever arrives when."""

    async def write(self, batches: Sequence[AcceptedBatch]) -> list[Receipt]:
        """Store batches in one transaction; a batch that is stored already is left alone.

        Returns one receipt a batch, in order: that of the first time for a stored one. A batch
        that says another unit or kind than its stream has is refused in its receipt, and keeps
        none of the others from being stored; it may be written again once that is changed.
        """
        ...

    async def receipts(self, batch_ids: Sequence[UUID]) -> list[Receipt]:
        """Receipts of those of the batches that are stored or were refused."""
        ...

    async def metadata(self, names: Sequence[StreamName]) -> dict[StreamName, Metadata]:
        """Units and kinds of those of the streams that there are."""
        ...

    async def describe(
        self, name: StreamName, author: Authorship, *, unit: str | None, kind: str | None
    ) -> StreamRecord:
        """Change what is said of a stream and all its samples, and keep who did it.

        What is None, or the same, stays. Raises `NotFoundError` for an unknown stream.
        """
        ...

    async def streams(
        self, prefix: str = "", *, after: str = "", limit: int = 100
    ) -> list[StreamRecord]:
        """Streams whose name begins with `prefix`, by name, those after `after` first."""
        ...

    async def find(self, name: StreamName) -> StreamRecord:
        """One stream; raises `NotFoundError` for a name that nothing was stored under."""
        ...

    async def look(self, name: StreamName, start_us: int, end_us: int, at_most: int) -> Look:
        """`find`, how many samples `read` would decode at most, and, of at most so many, `read`.

        All in one question to the store.
        """
        ...

    async def last_before(self, name: StreamName, time_us: int) -> float | None:
        """Value of the last sample before an instant; ``None`` where there is none."""
        ...

    async def read(self, name: StreamName, start_us: int, end_us: int) -> Samples:
        """Samples with ``start_us <= t < end_us`` in order of time, one an instant.

        Raises `NotFoundError` for an unknown stream.
        """
        ...

    async def summaries(self, name: StreamName, start_us: int, end_us: int) -> SummarisedRange:
        """What `read` of this range would give, with whole chunks summarised instead of read.

        Raises `NotFoundError` for an unknown stream.
        """
        ...
