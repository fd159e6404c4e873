"""Answers about workflows as text: a state, a list, a history, what changed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aetherops.cli.output import printable, printable_lines
from aetherops.cli.workflow.timeline import Ink, duration_text, timeline
from aetherops.instants import parse_us, to_iso

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "changed_text",
    "changes_text",
    "history_text",
    "json_text",
    "list_text",
    "rebuilt_text",
    "state_text",
    "verification_text",
]

_MOST_VALUE = 60


def json_text(document: object) -> str:
    """JSON on one line."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def verification_text(found: Mapping[str, Any]) -> str:
    """A line that says whether a replay converges, and one for each divergence."""
    said = "converges" if found["converges"] else "diverges"
    lines = [f"{found['id']}  version {found['version']}  {said}"]
    lines += [
        f"  {one['what']} at version {one['version']}: stored {one['stored']}, "
        f"replayed {one['replayed']}"
        for one in found["divergences"]
    ]
    if found["irregular"]:
        lines.append(f"  irregular events: {', '.join(map(str, found['irregular']))}")
    return "\n".join(lines)


def rebuilt_text(done: Mapping[str, Any]) -> str:
    """What a rebuild of the lists came to."""
    return f"lists filled anew from {done['events']:,} events in {done['seconds']}s"


def list_text(workflows: Sequence[Mapping[str, Any]]) -> str:
    """A line a workflow under a heading, in columns."""
    rows = [["ID", "NAME", "STATUS", "OWNER", "DONE", "DOING", "WAITING FOR", "UPDATED"]]
    rows += [_row(one) for one in workflows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def state_text(state: Mapping[str, Any], until_us: int, width: int, ink: Ink) -> str:
    """A workflow on one screen: what it is, how it came here, its steps over time.

    Parameters
    ----------
    until_us : how far what runs has come.
    width : columns of the terminal.
    """
    lines = [
        f"{state['id']}  {state['name']}  {_status(state)}",
        f"version {state['version']}, {state['progressPct']:g} % done, owner {_or_nobody(state)}",
        " > ".join(state["history"]),
        *_since(state, until_us),
    ]
    if state["steps"]:
        lines += ["", *timeline(state["steps"], until_us, width, ink)]
    for title, found in (
        ("approvals", [_approval(one) for one in state["approvals"]]),
        ("timers", [f"{one['name']} at {_iso(one['dueAt'])}" for one in state["timers"]]),
        (
            "artifacts",
            [f"{printable(key)} = {_value(one)}" for key, one in state["artifacts"].items()],
        ),
    ):
        if found:
            lines += ["", title, *(f"  {one}" for one in found)]
    lines += [f"{name} {_value(state[name])}" for name in ("result", "error") if state[name]]
    if state["irregular"]:
        lines.append(f"irregular events: {', '.join(map(str, state['irregular']))}")
    return "\n".join(lines)


def shown(found: Any, text: Callable[[Any], str], *, as_json: bool) -> str:
    """What was found, as JSON or as a text in which nothing that others wrote moves the cursor."""
    return json_text(found) if as_json else printable_lines(text(found))


def changed_text(state: Mapping[str, Any]) -> str:
    """Where a workflow stands after a command, on one line."""
    waits = [one["name"] for one in state["approvals"] if one["status"] == "requested"]
    runs = [one["name"] for one in state["steps"] if one["status"] == "running"]
    told = [f"{state['id']}  version {state['version']}  {_status(state)}"]
    told += [f"waits for {', '.join(waits)}"] if waits else []
    told += [f"runs {', '.join(runs)}"] if runs else []
    return "; ".join(told)


def history_text(events: Sequence[Mapping[str, Any]]) -> str:
    """A line an event: version, when it was recorded, kind, who, and what it says."""
    kinds = max((len(one["kind"]) for one in events), default=0)
    actors = max((len(one["actor"]) for one in events), default=0)
    return "\n".join(
        f"{one['version']:>4}  {_iso(one['recordedAt'], full=True):27}  {one['kind']:{kinds}}  "
        f"{one['actor']:{actors}}  {_payload(one['payload'])}".rstrip()
        for one in events
    )


def changes_text(changes: Mapping[str, Any]) -> str:
    """What differs between the two states, then event by event who changed it, and why."""
    before = changes["before"]
    versions = f"version {before['version'] if before else 0} to {changes['after']['version']}"
    lines = [versions, *(f"  {_difference(one)}" for one in changes["differences"])]
    for one in changes["changes"]:
        lines += ["", history_text([one["event"]])]
        lines += [f"      {_difference(difference)}" for difference in one["differences"]]
    return "\n".join(lines)


def _row(one: Mapping[str, Any]) -> list[str]:
    progress = one["progressPct"]
    return [
        one["id"],
        one["name"],
        _status(one),
        one["owner"] or "-",
        "-" if progress is None else f"{progress:g} %",
        ", ".join(one["runningSteps"]) or "-",
        ", ".join(one["pendingApprovals"]) or "-",
        _iso(one["updatedAt"]),
    ]


def _status(state: Mapping[str, Any]) -> str:
    """The state, or of a mission the stage too; and whether it is paused."""
    parts = [state["status"], state.get("stage") and f"stage {state['stage']}"]
    parts += ["paused"] if state["paused"] else []
    return ", ".join(part for part in parts if part)


def _or_nobody(state: Mapping[str, Any]) -> str:
    return state["owner"] or "nobody"


def _since(state: Mapping[str, Any], until_us: int) -> list[str]:
    lines = []
    if state["createdAt"]:
        age = duration_text(max(until_us - parse_us(state["createdAt"]), 0))
        times = f"created {_iso(state['createdAt'])}, last event {_iso(state['updatedAt'])}"
        lines.append(times if state["isDone"] else f"{times}, {age} old")
    if state["knownSince"]:
        lines.append(f"captured {_iso(state['knownSince'])}: unknown before")
    return lines


def _approval(one: Mapping[str, Any]) -> str:
    if one["status"] == "requested":
        until = f" until {_iso(one['until'])}" if one["until"] else ""
        return f"{one['name']} waits for the word of {one['role']}{until}"
    comment = f": {printable(one['comment'])}" if one["comment"] else ""
    return f"{one['name']} {one['status']} by {one['decidedBy']} {_iso(one['decidedAt'])}{comment}"


def _difference(one: Mapping[str, Any]) -> str:
    return f"{printable(one['path'])}: {_value(one['before'])} -> {_value(one['after'])}"


def _payload(payload: Mapping[str, Any]) -> str:
    """What an event says, without what it leaves open."""
    said = [f"{key}={_value(one)}" for key, one in payload.items() if one not in (None, "")]
    return " ".join(said)


def _value(value: object) -> str:
    text = printable(value if isinstance(value, str) else json_text(value))
    return text if len(text) <= _MOST_VALUE else f"{text[: _MOST_VALUE - 3]}..."


def _iso(text: str | None, *, full: bool = False) -> str:
    """An instant to the second; with all its digits where events are told apart by them."""
    if text is None:
        return "-"
    us = parse_us(text)
    return to_iso(us) if full else to_iso(us - us % 1_000_000)
