"""What a database holds, read by statements of our own and not by the store under test."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import asyncpg

from workflow_history.checking import Row
from workflow_history.operations import mark_of

__all__ = ["stored_rows"]

_PAGE = 10_000
_ROWS = """
SELECT position, recorded_us, workflow_id, version, event_id, correlation_id, payload
FROM workflow_event WHERE position > $1 ORDER BY position LIMIT $2
"""


async def stored_rows(connection: asyncpg.Connection) -> AsyncIterator[list[Row]]:
    """All events, page by page."""
    last = -1
    while page := await connection.fetch(_ROWS, last, _PAGE):
        yield [_row(record) for record in page]
        last = page[-1]["position"]


def _row(record: asyncpg.Record) -> Row:
    mark = mark_of(json.loads(record["payload"]))
    return Row(
        record["position"],
        record["recorded_us"],
        record["workflow_id"],
        record["version"],
        record["event_id"].hex,
        record["correlation_id"].hex,
        mark["i"],
        mark["of"],
        mark["epoch"],
    )
