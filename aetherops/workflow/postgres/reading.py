"""What is asked of ``workflow_event``: ranges of a workflow, and of the global order."""

from __future__ import annotations

from aetherops.workflow.postgres.rows import COLUMNS

__all__ = ["AFTER", "LAST", "OF_WORKFLOW", "OF_WORKFLOW_UNTIL", "POSITION_AT", "SINCE"]

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

LAST = "SELECT coalesce(max(position), 0) FROM workflow_event"
POSITION_AT = _POSITION_AT
OF_WORKFLOW = f"""
{_SELECT} WHERE workflow_id = $1 AND version > $2 AND version <= $3 ORDER BY version
"""
OF_WORKFLOW_UNTIL = f"""
{_SELECT} WHERE workflow_id = $1 AND version > $2 AND version <= ({_VERSION_AT}) ORDER BY version
"""
AFTER = f"{_SELECT} WHERE position > $1 ORDER BY position LIMIT $2"
SINCE = f"{_SELECT} WHERE position > ({_POSITION_AT}) ORDER BY position LIMIT $2"
