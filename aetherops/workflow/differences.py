"""What two states of a workflow differ in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from itertools import zip_longest
from typing import Any

from aetherops.workflow.json_values import JsonValue
from aetherops.workflow.state import WorkflowState
from aetherops.workflow.state_json import state_to_json

__all__ = ["Difference", "differences"]

#: They differ after every event, or never, and say nothing of the work.
_BOOKKEEPING = frozenset({"workflow_id", "version", "updated_at"})


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is another now.

    Parameters
    ----------
    path : where it stands in the state (``"steps.ignite.attempts[0].status"``).
    before, after : as JSON; None where there was or is none.
    """

    path: str
    before: JsonValue
    after: JsonValue


def differences(before: WorkflowState, after: WorkflowState) -> list[Difference]:
    """What differs, in the order of the fields of a state, without version and time of change."""
    changed = [
        f.name
        for f in fields(WorkflowState)
        if f.name not in _BOOKKEEPING and getattr(before, f.name) != getattr(after, f.name)
    ]
    if not changed:
        return []
    was, now = state_to_json(before), state_to_json(after)
    return [one for name in changed for one in _within(name, was[name], now[name])]


def _within(path: str, before: Any, after: Any) -> Iterator[Difference]:
    """Objects are compared entry by entry, lists item by item, everything else whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            if before.get(name) != after.get(name):
                yield from _within(f"{path}.{name}", before.get(name), after.get(name))
    elif isinstance(before, list) and isinstance(after, list):
        for i, (was, now) in enumerate(zip_longest(before, after)):
            if was != now:
                yield from _within(f"{path}[{i}]", was, now)
    else:
        yield Difference(path, before, after)
