"""Rows of chunks told as a range: whole ones by their summaries, those at the edges unpacked."""

from dataclasses import replace

import numpy as np
import pytest

from aetherops.aggregation.moments import Moments
from aetherops.archive.chunk import MAX_CHUNK_SAMPLES, DamagedChunkError, pack
from aetherops.archive.merge import VersionedSamples
from aetherops.archive.postgres.ranges import summarise, unpack
from aetherops.archive.samples import Samples

N = 3 * MAX_CHUNK_SAMPLES
VALUES = np.random.default_rng(5).normal(size=N)
ALL = Samples.of(np.arange(N), VALUES)
CHUNKS = list(pack(VersionedSamples(ALL, np.zeros(N, np.int64))))


PACKED = [chunk.packed for chunk in CHUNKS]


def summary_rows(start_us, end_us):
    """As the statement gives them: packed columns only for chunks over an edge."""
    rows = []
    for chunk in CHUNKS:
        packed = chunk.packed
        whole = chunk.start_us >= start_us and chunk.end_us < end_us
        columns = (None, None) if whole else (packed.times, packed.values)
        rows.append(
            (chunk.start_us, chunk.end_us, *chunk.moments.summary(), packed.codec, *columns)
        )
    return rows


@pytest.mark.parametrize(
    ("start_us", "end_us", "whole"), [(0, N, 3), (1, N, 2), (1, N - 1, 1), (-9, N - 1, 2)]
)
def test_the_three_parts_are_the_range(start_us, end_us, whole):
    summarised = summarise(summary_rows(start_us, end_us), start_us, end_us)

    samples = unpack(PACKED, start_us, end_us)
    assert len(summarised.chunks) == whole
    first, last = len(summarised.before), len(samples) - len(summarised.after)
    assert samples[:first].values.tolist() == summarised.before.values.tolist()
    assert samples[last:].values.tolist() == summarised.after.values.tolist()
    at = first
    for chunk in summarised.chunks:
        piece = samples[at : at + chunk.moments.count]
        assert (chunk.start_us, chunk.end_us) == (piece.times_us[0], piece.times_us[-1])
        assert chunk.moments.summary() == Moments(piece.values).summary()
        at += len(piece)
    assert at == last


def test_samples_are_unpacked_to_the_bits_that_were_packed():
    samples = unpack(PACKED, 10, N - 10)
    assert samples.times_us.tolist() == list(range(10, N - 10))
    assert samples.values.tobytes() == VALUES[10:-10].tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codec": 7}, "unknown codec 7"),
        ({"count": N}, f"instead of {N}"),
        ({"values": b"nothing"}, "cannot be unpacked"),
    ],
)
def test_a_damaged_chunk_is_named_as_such(change, message):
    with pytest.raises(DamagedChunkError, match=message):
        unpack([replace(PACKED[0], **change)], 0, N)
