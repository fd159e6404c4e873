"""The chunks of a range in PostgreSQL: counted, unpacked, or told by their summaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aetherops.aggregation.moments import Moments
from aetherops.archive.chunk import PackedColumns
from aetherops.archive.samples import Samples
from aetherops.archive.store import ChunkSummary, SummarisedRange

if TYPE_CHECKING:
    from collections.abc import Sequence

    import asyncpg

__all__ = ["BEFORE", "LOOK", "READ", "SUMMARIES", "last_of", "summarise", "unpack"]

# Chunks never overlap, so the first of a range is the last that begins at or before its start:
# one probe of the primary key, then one index range, however large the archive.
_WITHIN = """
c.stream_id = s.stream_id
  AND c.start_us < $3
  AND c.end_us >= $2
  AND c.start_us >= coalesce(
      (SELECT max(p.start_us) FROM chunk AS p
       WHERE p.stream_id = s.stream_id AND p.start_us <= $2), $2)
"""
_RANGE = f"FROM chunk AS c, stream AS s WHERE s.name = $1 AND {_WITHIN}"

#: Parameters: name of the stream, start, end, and of how many samples the chunks are fetched too.
#: One row at least of a stream that is known.
LOOK = f"""
SELECT s.name, s.unit, s.kind, s.count, s.first_us, s.last_us, n.total,
       r.chunk_count, r.codec, r.times, r."values"
FROM stream AS s
CROSS JOIN LATERAL (
    SELECT coalesce(sum(c.count), 0)::bigint AS total FROM chunk AS c WHERE {_WITHIN}) AS n
LEFT JOIN LATERAL (
    SELECT c.start_us, c.count AS chunk_count, c.codec, c.times, c."values"
    FROM chunk AS c WHERE n.total <= $4 AND {_WITHIN}) AS r ON true
WHERE s.name = $1 ORDER BY r.start_us
"""  # noqa: S608 -- the parts are constants

#: Parameters: name of the stream, instant. The last chunk that begins before it; the columns only
#: where it goes on after.
BEFORE = """
SELECT c.last_value, c.count, c.codec,
       CASE WHEN c.end_us >= $2 THEN c.times END AS times,
       CASE WHEN c.end_us >= $2 THEN c."values" END AS "values"
FROM chunk AS c JOIN stream AS s USING (stream_id)
WHERE s.name = $1 AND c.start_us < $2 ORDER BY c.start_us DESC LIMIT 1
"""

#: Parameters: name of the stream, start, end.
READ = f"""
SELECT c.count, c.codec, c.times, c."values" {_RANGE} ORDER BY c.start_us
"""

# One statement, so that chunks and edges are of one moment. The columns of whole chunks, which
# lie beside the table, are not fetched.
SUMMARIES = f"""
SELECT c.start_us, c.end_us,
       c.count, c.mean, c.m2, c.minimum, c.maximum, c.first_value, c.last_value, c.codec,
       CASE WHEN c.start_us < $2 OR c.end_us >= $3 THEN c.times END AS times,
       CASE WHEN c.start_us < $2 OR c.end_us >= $3 THEN c."values" END AS "values"
{_RANGE} ORDER BY c.start_us
"""


def unpack(chunks: Sequence[PackedColumns], start_us: int, end_us: int) -> Samples:
    """The chunks of a range, unpacked into one pair of arrays and cut to it."""
    total = sum(chunk.count for chunk in chunks)
    times, values = np.empty(total, np.int64), np.empty(total, np.float64)
    at = 0
    for chunk in chunks:
        piece = slice(at, at + chunk.count)
        chunk.unpack_into(times[piece], values[piece])
        at += chunk.count
    return _cut(Samples(times, values), start_us, end_us)


def last_of(row: asyncpg.Record, time_us: int) -> float:
    """The value before the instant, of a row of `BEFORE`."""
    last, *packed = row
    if row["times"] is None:
        return float(last)
    samples = PackedColumns(*packed).samples()
    return float(samples.values[np.searchsorted(samples.times_us, time_us) - 1])


def summarise(rows: Sequence[asyncpg.Record], start_us: int, end_us: int) -> SummarisedRange:
    """Rows of `SUMMARIES`: whole chunks as they are summarised, those at the edges unpacked."""
    before = after = Samples.empty()
    whole: list[ChunkSummary] = []
    for start, end, *moments, codec, times, values in rows:
        if times is None:
            whole.append(ChunkSummary(start, end, Moments.from_summary(*moments)))
            continue
        packed = PackedColumns(moments[0], codec, times, values)
        edge = _cut(packed.samples(), start_us, end_us)
        if start < start_us:
            before = edge
        else:
            after = edge
    return SummarisedRange(before, tuple(whole), after)


def _cut(samples: Samples, start_us: int, end_us: int) -> Samples:
    first, last = np.searchsorted(samples.times_us, [start_us, end_us])
    return samples[first:last]
