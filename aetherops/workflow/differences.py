"""What two states of a workflow differ in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
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


def differences(before: WorkflowState | None, after: WorkflowState) -> list[Difference]:
    """What differs, in the order of the fields of a state, without version and time of change.

    Parameters
    ----------
    before : None where there was no such workflow.
    """
    now = state_to_json(after)
    was = _nothing(now) if before is None else state_to_json(before)
    return [
        one
        for name in now
        if name not in _BOOKKEEPING
        for one in _within(name, was.get(name, _ABSENT), now[name])
    ]


def _nothing(now: Mapping[str, Any]) -> dict[str, Any]:
    """What there was before a workflow: nothing. What is empty is no news."""
    empty = state_to_json(WorkflowState("")).items()
    collections = {name: value for name, value in empty if isinstance(value, dict | list)}
    return {name: value for name, value in now.items() if not value} | collections


def _within(path: str, before: Any, after: Any) -> Iterator[Difference]:
    """Objects are compared entry by entry, lists item by item, everything else whole."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from _within(
                f"{path}.{name}", before.get(name, _ABSENT), after.get(name, _ABSENT)
            )
    elif isinstance(before, list) and isinstance(after, list):
        for i, (was, now) in enumerate(zip_longest(before, after, fillvalue=_ABSENT)):
            yield from _within(f"{path}[{i}]", was, now)
    elif type(before) is not type(after) or before != after:  # 1 is neither true nor 1.0
        yield Difference(path, _or_none(before), _or_none(after))


def _or_none(value: Any) -> JsonValue:
    return None if value is _ABSENT else value


class _Absent:
    """Stands where there is or was nothing, which is another thing than null."""


_ABSENT = _Absent()
