"""Answers about workflows as text."""

from __future__ import annotations

from aetherops.cli.output import printable
from aetherops.cli.workflow.texts import (
    changed_text,
    changes_text,
    history_text,
    list_text,
    shown,
    state_text,
)
from aetherops.cli.workflow.timeline import DRAWN
from aetherops.instants import parse_us

NOON = "2026-01-31T12:00:00Z"
STATE = {
    "id": "burn-7",
    "version": 9,
    "name": "orbit-raise",
    "owner": None,
    "form": "workflow",
    "status": "in-progress",
    "history": ["created", "validated", "scheduled", "in-progress"],
    "paused": True,
    "isDone": False,
    "progressPct": 42.9,
    "stage": None,
    "steps": [],
    "approvals": [
        {"name": "burn-go", "status": "requested", "role": "flight-director", "until": NOON},
        {
            "name": "fuel-go",
            "status": "granted",
            "role": "operator",
            "decidedBy": "ann",
            "decidedAt": NOON,
            "comment": "go",
        },
    ],
    "timers": [{"name": "window", "dueAt": NOON}],
    "artifacts": {"plan": {"dv": 3}, "log": "x" * 100},
    "result": None,
    "error": None,
    "createdAt": NOON,
    "updatedAt": "2026-01-31T12:04:05.250000Z",
    "knownSince": None,
    "irregular": [],
}


def test_a_workflow_on_one_screen():
    text = state_text(STATE, parse_us(NOON) + 3_600_000_000, 80, DRAWN)
    assert text.splitlines() == [
        "burn-7  orbit-raise  in-progress, paused",
        "version 9, 42.9 % done, owner nobody",
        "created > validated > scheduled > in-progress",
        "created 2026-01-31T12:00:00Z, last event 2026-01-31T12:04:05Z, 1h old",
        "",
        "approvals",
        "  burn-go waits for the word of flight-director until 2026-01-31T12:00:00Z",
        "  fuel-go granted by ann 2026-01-31T12:00:00Z: go",
        "",
        "timers",
        "  window at 2026-01-31T12:00:00Z",
        "",
        "artifacts",
        '  plan = {"dv":3}',
        f"  log = {'x' * 57}...",
    ]


def test_the_end_of_a_workflow_and_what_was_irregular():
    ended = {**STATE, "paused": False, "isDone": True, "result": {"dv": 3}, "irregular": [4, 7]}
    lines = state_text(ended, parse_us(NOON), 80, DRAWN).splitlines()
    assert lines[-2:] == ['result {"dv":3}', "irregular events: 4, 7"]
    assert not any(line.endswith("old") for line in lines)


def test_a_captured_mission():
    mission = {**STATE, "form": "mission", "stage": "validation", "knownSince": NOON}
    lines = state_text(mission, parse_us(NOON), 80, DRAWN).splitlines()
    assert lines[0].endswith("in-progress, stage validation, paused")
    assert "captured 2026-01-31T12:00:00Z: unknown before" in lines


def test_a_list_is_in_columns():
    one = {
        "id": "burn-7",
        "name": "orbit-raise",
        "status": "executing",
        "owner": "ann",
        "paused": False,
        "progressPct": 85.7,
        "runningSteps": ["ignite", "coast"],
        "pendingApprovals": [],
        "updatedAt": NOON,
    }
    then = {**one, "id": "b", "progressPct": None, "updatedAt": None, "runningSteps": []}
    heading, first, second = list_text([one, then]).splitlines()
    assert heading.split() == [
        *("ID", "NAME", "STATUS", "OWNER", "DONE", "DOING", "WAITING", "FOR", "UPDATED")
    ]
    assert first.split() == [
        *("burn-7", "orbit-raise", "executing", "ann", "85.7", "%", "ignite,", "coast", "-", NOON)
    ]
    assert second.split() == ["b", "orbit-raise", "executing", "ann", "-", "-", "-", "-"]
    assert first.index("orbit-raise") == second.index("orbit-raise") == heading.index("NAME")


EVENT = {
    "version": 2,
    "recordedAt": "2026-01-31T12:00:00.000250Z",
    "kind": "workflow.moved",
    "actor": "ann",
    "payload": {"source": "created", "target": "validated", "reason": ""},
}


def test_a_history_is_a_line_an_event():
    assert history_text([EVENT]) == (
        "   2  2026-01-31T12:00:00.000250Z  workflow.moved  ann  source=created target=validated"
    )
    assert history_text([]) == ""


def test_changes_say_what_then_who_and_why():
    difference = {"path": "status", "before": "created", "after": "validated"}
    text = changes_text(
        {
            "before": {"version": 1},
            "after": {"version": 2},
            "differences": [difference],
            "changes": [{"event": EVENT, "differences": [difference]}],
        }
    )
    assert text.splitlines() == [
        "version 1 to 2",
        "  status: created -> validated",
        "",
        history_text([EVENT]),
        "      status: created -> validated",
    ]


def test_a_command_says_where_the_workflow_stands():
    assert changed_text(STATE) == "burn-7  version 9  in-progress, paused; waits for burn-go"


def test_what_others_wrote_neither_moves_the_cursor_nor_turns_a_line() -> None:
    evil = "a\x1b[2J\nb\u202ec\x9bd é"
    assert printable(evil) == r"a\x1b[2J\nb\u202ec\x9bd é"
    state = STATE | {
        "approvals": [{**STATE["approvals"][1], "comment": evil}],  # type: ignore[index]
        "artifacts": {evil: evil, "list": [evil]},
        "error": evil,
    }
    told = state_text(state, parse_us(NOON), 80, DRAWN)
    assert all(line.isprintable() for line in told.split("\n"))
    assert len(told.split("\n")) == len(
        state_text(state | {"artifacts": {"a": "b", "c": "d"}}, parse_us(NOON), 80, DRAWN).split(
            "\n"
        )
    )


def test_no_text_lets_names_of_others_through_to_the_terminal() -> None:
    evil = "c\x9b31m\u202ex"
    one = STATE | {"id": evil, "name": evil, "owner": evil}
    for text in (changed_text, lambda state: state_text(state, parse_us(NOON), 80, DRAWN)):
        assert all(line.isprintable() for line in shown(one, text, as_json=False).split("\n"))
