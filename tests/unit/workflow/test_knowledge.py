"""What a workflow was before its events were kept is not guessed."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from aetherops.errors import InvalidInputError
from aetherops.workflow import (
    SnapshotTaken,
    UnknownBeforeMigrationError,
    WorkflowCreated,
    require_known,
)

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
SNAPSHOT = SnapshotTaken(workflow_id="w", occurred_at=NOON).recorded(NOON + timedelta(seconds=1), 1)


@pytest.mark.parametrize("before", [timedelta(microseconds=1), timedelta(days=400)])
def test_an_instant_before_the_snapshot_was_recorded_is_unknown(before: timedelta) -> None:
    with pytest.raises(UnknownBeforeMigrationError, match="unknown before the migration") as raised:
        require_known([SNAPSHOT], NOON + timedelta(seconds=1) - before)
    assert raised.value.known_since == SNAPSHOT.recorded_at
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_from_the_snapshot_on_everything_is_known() -> None:
    require_known([SNAPSHOT], NOON + timedelta(seconds=1))


def test_a_workflow_whose_events_were_always_kept_is_known_at_any_instant() -> None:
    require_known([WorkflowCreated(workflow_id="w", occurred_at=NOON)], NOON - timedelta(days=1))
    require_known([], NOON)


def test_a_time_without_an_offset_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="a time with an offset"):
        require_known([SNAPSHOT], datetime(2026, 3, 1))  # noqa: DTZ001
