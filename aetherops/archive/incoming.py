"""New samples of many batches, sorted by stream and time all at once."""

from __future__ import annotations

from itertools import chain, pairwise
from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.merge import IncomingSamples, VersionedSamples
from aetherops.archive.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from aetherops.archive.store import AcceptedBatch
    from aetherops.archive.stream import StreamName

__all__ = ["by_stream"]


def by_stream(
    batches: Sequence[AcceptedBatch], stream_ids: Mapping[StreamName, int]
) -> Iterator[tuple[int, IncomingSamples]]:
    """All new samples of each stream, sorted by time, with the batch each came in.

    Of samples at one instant those of the earlier batch come first, and of one batch in its order.

    Parameters
    ----------
    batches : one at least.
    stream_ids : of all streams that they hold samples of; streams come in the order of these.
    """
    columns = [accepted.batch.columns for accepted in batches]
    names = chain.from_iterable([one.names for one in columns])
    ids = np.array([stream_ids[name] for name in names], np.int64)
    counts = np.concatenate([one.counts for one in columns])
    origin = np.repeat(np.arange(len(columns)), [len(one.names) for one in columns])
    # Series move whole, and samples are sorted only where those of a stream are not in order then.
    order = np.argsort(ids, kind="stable")
    place = _places(counts, order)
    ids, sizes, origin = ids[order], counts[order], np.repeat(origin[order], counts[order])
    samples = Samples(
        np.concatenate([one.times_us for one in columns])[place],
        np.concatenate([one.values for one in columns])[place],
    )
    firsts = np.flatnonzero(np.diff(ids, prepend=ids[0] - 1))
    edges = np.append((np.cumsum(sizes) - sizes)[firsts], len(samples))
    if not _is_sorted(samples.times_us, edges):
        streams = np.repeat(np.arange(len(firsts)), np.diff(edges))
        by_time = np.lexsort((samples.times_us, streams))
        samples, origin = samples[by_time], origin[by_time]
    versions = np.array([accepted.version for accepted in batches], np.int64)[origin]
    incoming = IncomingSamples(VersionedSamples(samples, versions), origin)
    for stream_id, (first, last) in zip(
        ids[firsts].tolist(), pairwise(edges.tolist()), strict=True
    ):
        yield stream_id, incoming[first:last]


def _places(counts: NDArray[np.int64], order: NDArray[np.intp]) -> NDArray[np.int64]:
    """Where the samples lie of series that are to stand in another order."""
    starts, sizes = (np.cumsum(counts) - counts)[order], counts[order]
    ends = np.cumsum(sizes)
    places: NDArray[np.int64] = np.arange(ends[-1]) + np.repeat(starts - (ends - sizes), sizes)
    return places


def _is_sorted(times_us: NDArray[np.int64], edges: NDArray[np.int64]) -> bool:
    """Whether times never go back but where a stream begins."""
    back = np.flatnonzero(times_us[1:] < times_us[:-1]) + 1
    return bool(np.isin(back, edges).all())
