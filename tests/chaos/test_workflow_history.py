"""Writers, readers and PostgreSQL are killed while events are appended: the history is whole."""

import subprocess
import sys
from pathlib import Path

import pytest
from workflow_history.checking import HistoryCheck, Row
from workflow_history.notes import Ack, Fence, Refusal, Seen

COMMAND = Path(__file__).with_name("workflow_chaos.py")
SHORT = ["--kills", "6", "--events", "2000", "--seed", "12", "--seconds", "18", "--pause", "0.3"]


@pytest.mark.chaos
@pytest.mark.integration
def test_a_history_is_whole_whatever_is_killed_while_it_is_made() -> None:
    made = subprocess.run(
        [sys.executable, COMMAND, *SHORT], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert "faults: 0" in made.stdout
    # It is known to have happened: else nothing was shown.
    assert "kills: 0 " not in made.stdout
    assert "acknowledged: 0 " not in made.stdout


ROWS = (
    Row(1, 100, "w", 1, "a", "op1", 0, 2),
    Row(2, 101, "w", 2, "b", "op1", 1, 2),
    Row(3, 102, "held", 1, "c", "op2", 0, 1, epoch=1),
    Row(4, 103, "held", 2, "d", "op3", 0, 1, epoch=2),
)
ACK = Ack("w", 1, 1, 100, ["a", "b"])
SEEN = [Seen(row.position, row.event_id, row.recorded_us) for row in ROWS]


def faults(rows, notes=(), seen=SEEN):
    check = HistoryCheck()
    check.take(rows)
    check.end()
    check.noted(notes)
    check.seen("r", seen)
    return " | ".join(check.faults)


def test_a_whole_history_is_without_fault() -> None:
    notes = [ACK, Refusal("op9", "ConcurrencyError"), Fence("held", 2, 1)]
    assert faults(ROWS, notes) == ""


def changed(i, **fields):
    return [*ROWS[:i], ROWS[i]._replace(**fields), *ROWS[i + 1 :]]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (changed(2, position=4), "position 4 comes where 3 was next"),
        (changed(1, recorded_us=100), "recorded no later"),
        (changed(3, version=3), "version 3 where 2 was next"),
        (changed(3, event_id="c"), "event c is stored twice"),
        (changed(3, operation="op2"), "append op2 is stored twice"),
        (changed(1, operation="op4", index=0, size=1), "append op1 is stored in part"),
        (changed(3, size=2), "append op3 is stored in part"),
        ([ROWS[0], ROWS[2], ROWS[1], ROWS[3]], "stored in part or in pieces"),
        (ROWS[:3], "which is not there"),
    ],
)
def test_a_fault_of_what_is_stored_is_found(rows, told) -> None:
    assert told in faults(rows)


@pytest.mark.parametrize(
    ("note", "told"),
    [
        (ACK._replace(position=2), "is not at position 2"),
        (ACK._replace(position=5), "is not at position 5"),
        (ACK._replace(event_ids=["a", "x"]), "is not at position 1"),
        (ACK._replace(recorded_us=99), "is not at position 1"),
        (Refusal("op2", "ConcurrencyError"), "was refused (ConcurrencyError) and is stored"),
        (Fence("held", 2, 0), "version 1 is of epoch 1, and epoch 2 had begun at version 0"),
    ],
)
def test_what_was_answered_otherwise_than_it_is_stored_is_found(note, told) -> None:
    assert told in faults(ROWS, [note])


@pytest.mark.parametrize(
    ("seen", "told"),
    [
        ([SEEN[0], *SEEN[2:]], "saw 3 where 2 was next"),
        ([*SEEN[:2], *SEEN[1:]], "saw 2 where 3 was next"),
        (SEEN[:3], "saw 3 events of 4"),
        ([*SEEN[:3], SEEN[3]._replace(event_id="x")], "another event at position 4"),
    ],
)
def test_an_event_that_a_reader_did_not_see_as_stored_is_found(seen, told) -> None:
    assert told in faults(ROWS, seen=seen)
