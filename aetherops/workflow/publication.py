"""Events told to other programs, in order, each at least once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Protocol

from aetherops.errors import AetherOpsError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.workflow.events.base import WorkflowEvent

__all__ = ["EventPublisher", "PublishedAheadError", "event_document", "subject_of"]

#: Subjects are this, a dot, and the workflow's id.
SUBJECT_PREFIX = "aetherops.workflows"
_UNSAFE = re.compile(rb"[^A-Za-z0-9_-]")


class PublishedAheadError(AetherOpsError):
    """More was published than is stored: the database is not the one that was published from.

    Parameters
    ----------
    published : the position of the last event that was published.
    stored : that of the last event that is stored.
    """

    def __init__(self, published: int, stored: int) -> None:
        self.published = published
        self.stored = stored
        super().__init__(published, stored)

    def __str__(self) -> str:
        return (
            f"events are published up to position {self.published} and stored up to "
            f"{self.stored}: was a backup restored?"
        )


class EventPublisher(Protocol):
    """Where events are published. Every method raises `UnavailableError` where it is away."""

    async def last_position(self) -> int:
        """The position of the last event that was published, by whomever; 0 before the first."""
        ...

    async def publish(self, events: Sequence[WorkflowEvent]) -> int:
        """Publish events that follow the last one; returns how many of them this call published.

        Fewer than all where another publishes at the same time: ask for the last position again.
        """
        ...


def subject_of(workflow_id: str) -> str:
    """The subject of a workflow's events: what a subject may not hold is percent-encoded."""
    quoted = _UNSAFE.sub(lambda byte: b"%%%02X" % byte[0][0], workflow_id.encode())
    return f"{SUBJECT_PREFIX}.{quoted.decode()}"


def event_document(event: WorkflowEvent) -> dict[str, Any]:
    """An event as other programs get it: the envelope, and the payload under its own name."""
    return {
        "kind": event.kind,
        "schema_version": event.schema_version,
        **event.envelope,
        "payload": event.payload,
    }
