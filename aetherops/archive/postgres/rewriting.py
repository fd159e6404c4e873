"""What becomes of the chunks of streams that new samples join: the processor's part of writing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aetherops.archive.chunk import Chunk, PackedColumns, pack
from aetherops.archive.merge import IncomingSamples, Tally, VersionedSamples, merge_samples
from aetherops.archive.placement import Rewrite, Span, place

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["Change", "place_all", "rewrite"]


@dataclass(slots=True)
class Change:
    """What is new in one stream, and what becomes of its chunks."""

    stream_id: int
    incoming: IncomingSamples
    spans: list[Span] = field(default_factory=list)
    rewrites: list[Rewrite] = field(default_factory=list)

    def replaced(self) -> list[tuple[int, int]]:
        """Keys of the chunks that are rewritten."""
        return [
            (self.stream_id, self.spans[i].start_us)
            for rewrite in self.rewrites
            for i in rewrite.spans
        ]


def place_all(changes: Sequence[Change]) -> None:
    """Say of each change which chunks it rewrites, from the spans that it has."""
    for change in changes:
        change.rewrites = place(change.incoming.times_us, change.spans)


def rewrite(
    changes: Sequence[Change], taken: Mapping[tuple[int, int], PackedColumns], batches: int
) -> tuple[list[tuple[object, ...]], Tally, list[tuple[int, int, int, int]]]:
    """The processor's part, run in a thread: merge, pack and summarise.

    Returns rows for `chunk`, the tally of each batch, and rows for `_GROW_STREAMS`.
    """
    rows: list[tuple[object, ...]] = []
    total = Tally.zero(batches)
    grown: list[tuple[int, int, int, int]] = []
    for change in changes:
        stored = 0
        for rewrite in change.rewrites:
            keys = [(change.stream_id, change.spans[i].start_us) for i in rewrite.spans]
            existing = VersionedSamples.join(taken[key].versioned() for key in keys)
            merged, tally = merge_samples(
                existing, change.incoming[rewrite.first : rewrite.last], batches
            )
            total.add(tally)
            stored += int(tally.stored.sum())
            rows.extend(_row(change.stream_id, chunk) for chunk in pack(merged))
        times = change.incoming.times_us
        grown.append((change.stream_id, stored, int(times[0]), int(times[-1])))
    return rows, total, grown


def _row(stream_id: int, chunk: Chunk) -> tuple[object, ...]:
    moments, packed = chunk.moments, chunk.packed
    return (
        stream_id,
        chunk.start_us,
        chunk.end_us,
        packed.count,
        moments.mean,
        moments.m2,
        moments.min,
        moments.max,
        moments.first,
        moments.last,
        packed.codec,
        packed.times,
        packed.values,
        packed.versions,
    )
