"""Where new samples go among the chunks of a stream, so that chunks never overlap.

Samples inside a chunk's span are merged into it; samples between chunks become chunks of
their own. A small chunk absorbs small ones before it that are not larger than itself, as a
binary counter carries: a stream fed by tiny batches ends in full chunks, and every sample
is packed again only O(log n) times.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.chunk import MAX_CHUNK_SAMPLES, MIN_CHUNK_SAMPLES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["NEIGHBOURS", "Rewrite", "Span", "place"]

#: How many chunks before the first new sample `place` can make use of: sizes double, so the
#: absorbed ones can never be more than this.
NEIGHBOURS = 16


@dataclass(frozen=True, slots=True)
class Span:
    """What a chunk covers (both ends included), and its number of samples."""

    start_us: int
    end_us: int
    count: int


@dataclass(slots=True)
class Rewrite:
    """Chunks to replace, by index in the spans, and the slice of new samples that joins them."""

    spans: range
    first: int
    last: int


def place(times_us: NDArray[np.int64], spans: Sequence[Span]) -> list[Rewrite]:
    """Assign new samples to chunks.

    Parameters
    ----------
    times_us : instants of the new samples, sorted, shape (n,).
    spans : the stream's chunks from the `NEIGHBOURS` before the first instant to the last
        one that begins before the final instant, in order.
    """
    rewrites: list[Rewrite] = []
    for slot, first, last in _pieces(times_us, spans):
        chunk, is_inside = divmod(slot, 2)
        if is_inside:
            rewrites.append(Rewrite(range(chunk, chunk + 1), first, last))
        elif rewrites and rewrites[-1].spans.stop == chunk and last - first < MIN_CHUNK_SAMPLES:
            rewrites[-1].last = last  # right behind a chunk that is rewritten anyway
        else:
            taken = rewrites[-1].spans.stop if rewrites else 0
            start = _absorb(spans, taken, chunk, last - first)
            rewrites.append(Rewrite(range(start, chunk), first, last))
    return rewrites


def _pieces(times_us: NDArray[np.int64], spans: Sequence[Span]) -> Iterator[tuple[int, int, int]]:
    """Runs of samples in one slot: 2·i is the gap before chunk i, 2·i + 1 the chunk itself."""
    starts = np.array([span.start_us for span in spans], np.int64)
    ends = np.array([span.end_us for span in spans], np.int64)
    begun = np.searchsorted(starts, times_us, side="right")
    ended = np.searchsorted(ends, times_us, side="left")
    slots = begun + ended
    edges = [0, *(np.flatnonzero(np.diff(slots)) + 1).tolist(), len(slots)]
    for first, last in itertools.pairwise(edges):
        yield int(slots[first]), first, last


def _absorb(spans: Sequence[Span], lowest: int, chunk: int, count: int) -> int:
    """Index of the first of the chunks before `chunk` that `count` new samples take in."""
    while chunk > lowest:
        before = spans[chunk - 1].count
        if before > count or before >= MIN_CHUNK_SAMPLES or before + count > MAX_CHUNK_SAMPLES:
            break
        count += before
        chunk -= 1
    return chunk
