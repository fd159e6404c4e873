"""The steps of a workflow over time, drawn in the terminal: a line each, a bar an attempt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from aetherops.cli.output import printable
from aetherops.instants import parse_us, to_iso

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["ASCII", "DRAWN", "Ink", "duration_text", "timeline"]

_LEAST_PLOT = 20
_MOST_LABEL = 24
_SECOND = 1_000_000
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))


class Ink(NamedTuple):
    """What a timeline is drawn with: what fills a bar, and what ends it."""

    axis: str
    completed: str
    failed: str
    running: str
    done: str
    broken: str
    going: str


#: For outputs whose encoding has these, and for those that have ASCII alone.
DRAWN = Ink("─", "█", "▒", "█", "✓", "✗", "▶")
ASCII = Ink("-", "#", "x", "=", "+", "!", ">")


@dataclass(frozen=True, slots=True)
class _Scale:
    """From instants to columns.

    Parameters
    ----------
    start_us, end_us : the instants at the left and the right edge.
    columns : between them.
    """

    start_us: int
    end_us: int
    columns: int

    def column(self, us: int) -> int:
        """Where an instant stands, 0 to ``columns - 1``."""
        span_us = max(self.end_us - self.start_us, 1)
        column = (us - self.start_us) * self.columns // span_us
        return min(max(column, 0), self.columns - 1)


def timeline(
    steps: Sequence[Mapping[str, Any]], until_us: int, width: int, ink: Ink = DRAWN
) -> list[str]:
    """The lines of a drawing: an axis, then every step with its attempts and what came of it.

    Parameters
    ----------
    steps : as GraphQL answers.
    until_us : how far a running attempt has come: now, or the instant that was asked about.
    width : columns of the terminal; labels and notes are kept, the plot takes what is left.
    ink : what it is drawn with.
    """
    notes = [_note(step, until_us) for step in steps]
    instants = [us for step in steps for one in _attempts(step) for us in _ends(one, until_us)]
    if not instants:
        return [f"{step['name']}  {note}" for step, note in zip(steps, notes, strict=True)]
    labels = [_cut(str(step["name"]), _MOST_LABEL) for step in steps]
    label, note = max(map(len, labels)), max(map(len, notes))
    scale = _Scale(min(instants), max(instants), max(width - label - note - 4, _LEAST_PLOT))
    lines = [f"{'':{label}}  {one}".rstrip() for one in _axis(scale, ink)]
    for name, step, text in zip(labels, steps, notes, strict=True):
        bar = _bars(step, scale, until_us, ink)
        lines.append(f"{name:{label}}  {bar}  {text}".rstrip())
    return lines


def duration_text(us: int) -> str:
    """A length of time in its two largest units (``"2h 5m"``), below a minute with a decimal."""
    seconds = us / _SECOND
    if seconds < 60:
        return f"{seconds:.1f}s"
    rest = us // _SECOND
    parts: list[str] = []
    for size, unit in _UNITS:
        count, rest = divmod(rest, size)
        if count or parts:
            parts.append(f"{count}{unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0"))


def _attempts(step: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those of which it is known when they began."""
    return [one for one in step["attempts"] if one["startedAt"] is not None]


def _ends(attempt: Mapping[str, Any], until_us: int) -> tuple[int, int]:
    start_us = parse_us(attempt["startedAt"])
    ended = attempt["endedAt"]
    return start_us, max(parse_us(ended) if ended else until_us, start_us)


def _axis(scale: _Scale, ink: Ink) -> list[str]:
    """The instants at both edges over a line; one under the other where they need more room."""
    start, end = to_iso(scale.start_us), to_iso(scale.end_us)
    gap = scale.columns - len(start) - len(end)
    edges = [f"{start}{'':{gap}}{end}"] if gap > 0 else [start, f"{end:>{scale.columns}}"]
    return [*edges, ink.axis * scale.columns]


def _bars(step: Mapping[str, Any], scale: _Scale, until_us: int, ink: Ink) -> str:
    row = [" "] * scale.columns
    for attempt in _attempts(step):
        first, last = (scale.column(us) for us in _ends(attempt, until_us))
        fill, end = {
            "completed": (ink.completed, ink.done),
            "failed": (ink.failed, ink.broken),
        }.get(attempt["status"], (ink.running, ink.going))
        row[first:last] = fill * (last - first)
        row[last] = end
    return "".join(row)


def _note(step: Mapping[str, Any], until_us: int) -> str:
    """What came of the last attempt, and how long it took."""
    last = step["attempts"][-1]
    parts = [str(step["status"])]
    if last["startedAt"] is not None:
        start_us, end_us = _ends(last, until_us)
        parts.append(duration_text(end_us - start_us))
    if last["number"] > 1:
        parts.append(f"attempt {last['number']}")
    if step["status"] == "running" and last["executor"]:
        parts.append(f"on {last['executor']}")
    if step["status"] == "failed" and last["error"]:
        parts.append(_cut(printable(str(last["error"])), _MOST_LABEL))
    return ", ".join(parts)


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 3]}..."
