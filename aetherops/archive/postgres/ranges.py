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

__all__ = ["COUNT", "READ", "SUMMARIES", "summarise", "unpack"]

# Chunks never overlap, so the first of a range is the last that begins at or before its start:
# one probe of the primary key, then one index range, however large the archive.
_RANGE = """
FROM chunk AS c
JOIN stream AS s USING (stream_id)
WHERE s.name = $1
  AND c.start_us < $3
  AND c.end_us >= $2
  AND c.start_us >= coalesce(
      (SELECT max(p.start_us) FROM chunk AS p
       WHERE p.stream_id = s.stream_id AND p.start_us <= $2), $2)
"""

#: Parameters of all three: name of the stream, start, end.
COUNT = f"SELECT coalesce(sum(c.count), 0)::bigint {_RANGE}"

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


def unpack(rows: Sequence[asyncpg.Record], start_us: int, end_us: int) -> Samples:
    """Rows of `READ`, unpacked into one pair of arrays and cut to the range."""
    chunks = [PackedColumns(**row) for row in rows]
    total = sum(chunk.count for chunk in chunks)
    times, values = np.empty(total, np.int64), np.empty(total, np.float64)
    at = 0
    for chunk in chunks:
        piece = slice(at, at + chunk.count)
        chunk.unpack_into(times[piece], values[piece])
        at += chunk.count
    return _cut(Samples(times, values), start_us, end_us)


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
