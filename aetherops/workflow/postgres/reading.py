"""What is asked of ``workflow_event``: ranges of a workflow, and of the global order."""

from __future__ import annotations

from datetime import datetime

from aetherops.workflow.checks import instant, name_text
from aetherops.workflow.postgres.rows import COLUMNS, to_us
from aetherops.workflow.reading import checked_position

__all__ = ["AFTER", "AWAIT_TURN", "LAST", "LAST_RECORDED", "POSITION_AT", "SINCE", "history"]

# Recorded times grow with the position, and positions have no gap: an instant is found by halving
# the positions, each time by one probe of the primary key.
_POSITION_AT = """
WITH RECURSIVE halving (low, high) AS (
    SELECT 0::bigint, coalesce((SELECT max(position) FROM workflow_event), 0)
    UNION ALL
    SELECT CASE WHEN middle.recorded_us <= $1 THEN middle.position ELSE low END,
           CASE WHEN middle.recorded_us <= $1 THEN high ELSE middle.position - 1 END
    FROM halving CROSS JOIN LATERAL (
        SELECT e.position, e.recorded_us FROM workflow_event AS e
        WHERE e.position = (low + high + 1) / 2
    ) AS middle
    WHERE low < high
)
SELECT low FROM halving WHERE low >= high
"""

# The same over the versions of one workflow.
_VERSION_AT = """
WITH RECURSIVE halving (low, high) AS (
    SELECT 0, coalesce((SELECT max(version) FROM workflow_event WHERE workflow_id = $1), 0)
    UNION ALL
    SELECT CASE WHEN middle.recorded_us <= $3 THEN middle.version ELSE low END,
           CASE WHEN middle.recorded_us <= $3 THEN high ELSE middle.version - 1 END
    FROM halving CROSS JOIN LATERAL (
        SELECT e.version, e.recorded_us FROM workflow_event AS e
        WHERE e.workflow_id = $1 AND e.version = (low + high + 1) / 2
    ) AS middle
    WHERE low < high
)
SELECT low FROM halving WHERE low >= high
"""

_SELECT = f"SELECT {COLUMNS} FROM workflow_event"  # noqa: S608 -- columns of ours
# Of the column of versions: no workflow comes near.
_LAST_VERSION = 2**31 - 1

LAST = "SELECT coalesce(max(position), 0) FROM workflow_event"
LAST_RECORDED = """
SELECT coalesce((SELECT recorded_us FROM workflow_event ORDER BY position DESC LIMIT 1), 0)
"""
# Returns once whoever has the turn (`workflow_take_turn`) has committed; others may ask as well.
AWAIT_TURN = "SELECT pg_advisory_xact_lock_shared(x'AE7E00000002'::bigint)"
POSITION_AT = _POSITION_AT
AFTER = f"{_SELECT} WHERE position > $1 ORDER BY position LIMIT $2"
SINCE = f"{_SELECT} WHERE position > ({_POSITION_AT}) ORDER BY position LIMIT $2"


def history(
    columns: str, workflow_id: str, after: int, until: int | datetime | None
) -> tuple[str, tuple[object, ...]]:
    """What asks for a workflow's events after a version, and its arguments.

    Parameters
    ----------
    columns : of ``workflow_event``.
    until : up to this version, or recorded up to this instant; all where not given.
    """
    name_text(workflow_id, "workflow_id")
    start = min(checked_position(after, "after"), _LAST_VERSION)
    last, end = "$3", _LAST_VERSION
    if isinstance(until, datetime):
        last, end = f"({_VERSION_AT})", to_us(instant(until, "until"))
    elif until is not None:
        end = min(checked_position(until, "until"), _LAST_VERSION)
    statement = (
        f"SELECT {columns} FROM workflow_event "  # noqa: S608 -- columns of ours
        f"WHERE workflow_id = $1 AND version > $2 AND version <= {last} ORDER BY version"
    )
    return statement, (workflow_id, start, end)
