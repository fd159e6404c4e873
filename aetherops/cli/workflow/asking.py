"""What ``aetherops workflow`` asks the platform."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aetherops.cli.client import Client
from aetherops.cli.outcome import ServerBusyError
from aetherops.cli.query.graphql import data_of
from aetherops.cli.workflow.documents import (
    CHANGES,
    HISTORY,
    LIST,
    STATE,
    VERIFICATION,
    mutation,
)
from aetherops.errors import UnreachableError
from aetherops.resilience import Retry
from aetherops.workflow.events.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aetherops.cli.connection import Connection

__all__ = [
    "ask_changes",
    "ask_history",
    "ask_list",
    "ask_state",
    "ask_verification",
    "change",
    "enum_name",
    "every_id",
]

_PAGE = 1000
_RETRY = Retry(attempts=3, base_ms=200, jitter=0.25, on=(UnreachableError, ServerBusyError))


def enum_name(value: str) -> str:
    """How GraphQL names a state or a stage (``"in-progress"`` is ``IN_PROGRESS``)."""
    return value.replace("-", "_").upper()


def ask_state(
    workflow_id: str, as_of: str | None, occurred_by: str | None, connection: Connection
) -> dict[str, Any]:
    """The state of a workflow, now or as of an instant, or as had occurred by one."""
    asked = {"id": workflow_id, "asOf": as_of, "occurredBy": occurred_by}
    return _ask(STATE, asked, connection)


def ask_changes(workflow_id: str, start: str, end: str, connection: Connection) -> dict[str, Any]:
    """What changed between two instants."""
    return _ask(CHANGES, {"id": workflow_id, "from": start, "to": end}, connection)


def ask_list(wanted: Mapping[str, object], connection: Connection) -> list[dict[str, Any]]:
    """All workflows that match, page by page."""

    async def collect() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after, more = "", True
        async with Client(connection) as client:
            while more:
                page = (await data_of(client, LIST, {**wanted, "after": after}))["workflows"]
                found += map(_plain, page["nodes"])
                after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        return found

    return asyncio.run(collect())


def ask_history(workflow_id: str, connection: Connection) -> list[dict[str, Any]]:
    """All events of a workflow, page by page."""

    async def collect() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        after, more = 0, True
        async with Client(connection) as client:
            while more:
                asked = {"id": workflow_id, "first": _PAGE, "after": after}
                page = (await data_of(client, HISTORY, asked))["workflowHistory"]
                found += page["nodes"]
                after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
        return found

    return asyncio.run(collect())


def ask_verification(workflow_id: str, connection: Connection) -> dict[str, Any]:
    """What a replay of a workflow found."""
    return _ask(VERIFICATION, {"id": workflow_id}, connection)


def every_id(connection: Connection) -> list[str]:
    """The ids of all workflows, in order."""
    return [str(one["id"]) for one in ask_list({"search": ""}, connection)]


def change(
    name: str, workflow_id: str | None, arguments: Mapping[str, object], connection: Connection
) -> dict[str, Any]:
    """Have a mutation made; the state after it.

    It names the event, and the workflow where that is new: made again after a lost answer, it
    changes nothing more.
    """
    own_id = str(uuid7()) if workflow_id is None else workflow_id
    named = {"id": own_id, "cause": {"eventId": str(uuid7())}}
    return _RETRY.call(_ask, mutation(name), {**named, **arguments}, connection)


def _ask(document: str, variables: Mapping[str, object], connection: Connection) -> dict[str, Any]:
    """The one field that a document asks for."""

    async def ask() -> dict[str, Any]:
        async with Client(connection) as client:
            (answer,) = (await data_of(client, document, variables)).values()
        return _plain(answer)

    return asyncio.run(ask())


def _plain(answer: Mapping[str, Any]) -> dict[str, Any]:
    """An answer with states and stages as they are called outside GraphQL."""
    return {name: _PLAIN.get(name, lambda value: value)(value) for name, value in answer.items()}


def _name(enum: str | None) -> str | None:
    return None if enum is None else enum.lower().replace("_", "-")


def _names(enums: list[str]) -> list[str | None]:
    return [_name(one) for one in enums]


def _state(answer: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if answer is None else _plain(answer)


_PLAIN: dict[str, Callable[[Any], Any]] = {
    "status": _name,
    "stage": _name,
    "history": _names,
    "allowedMoves": _names,
    "before": _state,
    "after": _state,
}
