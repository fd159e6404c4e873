"""What a batch of events changes, written in the transaction of its checkpoint."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from aetherops.workflow.read_models.rows import SummaryRow

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from aetherops.connections.postgres import PostgresConnection
    from aetherops.workflow.read_models.fold import Folded

__all__ = ["SUMMARY_COLUMNS", "summary_row", "write_folded"]

# By column: its type. The first ones are of the beginning of a workflow, and stay.
_BEGINNING = {
    "name": "text",
    "form": "text",
    "search_text": "text",
    "created_us": "bigint",
    "known_since_us": "bigint",
    "first_position": "bigint",
}
_CHANGING = {
    "workflow_id": "text",
    "owner": "text",
    "status": "text",
    "is_done": "boolean",
    "paused": "boolean",
    "reached": "smallint",
    "stage": "smallint",
    "running_steps": "text[]",
    "pending_approvals": "text[]",
    "error": "text",
    "version": "bigint",
    "recorded_us": "bigint",
    "since_position": "bigint",
    "position": "bigint",
}
_COLUMNS = (*_CHANGING, *_BEGINNING)
_whole, _changing = attrgetter(*_COLUMNS), attrgetter(*_CHANGING)
_lists = [i for i, kind in enumerate(_CHANGING.values()) if kind == "text[]"]
#: The columns that `summary_row` takes; the others are made from them.
SUMMARY_COLUMNS = ", ".join(name for name in _COLUMNS if name not in ("is_done", "search_text"))

# Lists cannot stand in a list of rows: their names are joined by a character that no name has.
_UPDATE = f"""
UPDATE workflow_summary AS s
SET {
    ", ".join(
        f"{column} = string_to_array(q.{column}, chr(10))"
        if kind == "text[]"
        else f"{column} = q.{column}"
        for column, kind in _CHANGING.items()
        if column != "workflow_id"
    )
}
FROM unnest({
    ", ".join(
        f"${i}::{'text' if kind == 'text[]' else kind}[]"
        for i, kind in enumerate(_CHANGING.values(), 2)
    )
}) AS q ({", ".join(_CHANGING)})
WHERE s.generation = $1 AND s.workflow_id = q.workflow_id
"""  # noqa: S608 -- columns of ours

# Rows are found by their key, whatever the planner believes of a table that has just begun.
_BY_KEY = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"

_DELETE = "DELETE FROM workflow_summary WHERE generation = $1 AND workflow_id = ANY ($2::text[])"

# Two programs that fill one generation do not double: one of them finds another position.
_CHECKPOINT = """
UPDATE workflow_generation SET position = $3, moved_at = clock_timestamp()
WHERE generation = $1 AND position = $2 AND NOT is_retired
RETURNING true
"""

_INTERVAL_COLUMNS = (
    "generation",
    "workflow_id",
    "status",
    "owner",
    "paused",
    "from_position",
    "to_position",
)


async def write_folded(
    connection: PostgresConnection,
    generation: int,
    after: int,
    folded: Folded,
    known: Collection[str],
) -> bool:
    """Write what changed, and how far that is; runs inside a transaction.

    Parameters
    ----------
    generation : which one is filled.
    after : the position that it had.
    folded : what changed since.
    known : ids that have a row already, those whose row was read included.

    Returns
    -------
    False, and nothing is written, where the generation has another position by now.
    """
    if not await connection.fetchval(_CHECKPOINT, generation, after, folded.position):
        return False
    await _write_rows(connection, generation, folded.rows.values(), known)
    if folded.intervals:
        await connection.copy_records_to_table(
            "workflow_interval",
            records=[(generation, *interval) for interval in folded.intervals],
            columns=_INTERVAL_COLUMNS,
        )
    if folded.parked:
        await connection.copy_records_to_table(
            "workflow_parked",
            records=[(generation, *parked) for parked in folded.parked],
            columns=("generation", "workflow_id", "position", "reason"),
        )
    return True


async def _write_rows(
    connection: PostgresConnection,
    generation: int,
    rows: Collection[SummaryRow],
    known: Collection[str],
) -> None:
    whole = [row for row in rows if row.is_begun_anew or row.workflow_id not in known]
    again = [row.workflow_id for row in whole if row.workflow_id in known]
    if again:  # begun twice, which no rule allows
        await connection.execute(_DELETE, generation, again)
    if whole:
        await connection.copy_records_to_table(
            "workflow_summary",
            records=[(generation, *_whole(row)) for row in whole],
            columns=("generation", *_COLUMNS),
        )
    changed = [_changing(row) for row in rows if not row.is_begun_anew and row.workflow_id in known]
    if changed:
        await connection.execute(_BY_KEY)
        await connection.execute(_UPDATE, generation, *_columns(changed))
    for row in whole:
        row.is_begun_anew = False


def summary_row(values: Mapping[str, Any]) -> SummaryRow:
    """The row of these `SUMMARY_COLUMNS`."""
    row = SummaryRow(**values)
    row.running_steps = set(row.running_steps)
    row.pending_approvals = set(row.pending_approvals)
    return row


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    """The rows as columns, each list in one text."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    for i in _lists:
        columns[i] = ["\n".join(names) if names else "" for names in columns[i]]
    return columns
