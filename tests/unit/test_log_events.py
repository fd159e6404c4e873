"""Log events have one form of name, and operators find each in the documentation."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import aetherops
from aetherops.runtime.logs import LIBRARY_EVENT

SOURCE = Path(aetherops.__file__).parent
OPERATIONS = SOURCE.parent / "docs" / "operations.md"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
#: What was it that happened: snake_case, and the verb in its past.
FORM = re.compile(r"([a-z]+_)+(not_)?([a-z]+ed|read|begun|cut_off)")


def logged() -> Iterator[tuple[str, str]]:
    """Where something is logged, and the event that it names."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Name(id="_log"), attr=level), args=[event, *_]
                ) if level in LEVELS:
                    place = f"{path.relative_to(SOURCE)}:{node.lineno}"
                    yield place, ast.literal_eval(event)


EVENTS = list(logged())


def test_the_walk_finds_the_events() -> None:
    assert len(EVENTS) > 15
    assert "migration_applied" in dict(map(reversed, EVENTS))


@pytest.mark.parametrize(("place", "event"), EVENTS)
def test_an_event_says_what_has_happened(place: str, event: str) -> None:
    assert FORM.fullmatch(event), f"{place}: {event} is not of the form batch_stored"


def test_the_documentation_lists_every_event_and_no_other() -> None:
    section = OPERATIONS.read_text(encoding="utf-8").split("\n## Logs\n")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)`", section, re.MULTILINE)
    assert documented == sorted({event for _, event in EVENTS} | {LIBRARY_EVENT})


@pytest.mark.parametrize("other", ["starting", "ingest.waiting", "nats_error", "BatchStored"])
def test_other_forms_are_told_apart(other: str) -> None:
    assert not FORM.fullmatch(other)
