"""What the event store and what reads it raise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.errors import AetherOpsError, NotFoundError, RefusedError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

__all__ = [
    "ConcurrencyError",
    "DamagedEventError",
    "DuplicateEventError",
    "EventLoopError",
    "FencedError",
    "IllegalMoveError",
    "MissingEventError",
    "NotYetCreatedError",
    "UnknownBeforeMigrationError",
    "UnknownKindError",
    "UnknownSchemaVersionError",
    "UnreadableEventError",
    "WorkflowNotFoundError",
]


class ConcurrencyError(RefusedError):
    """Another event took this version first, or one before it is missing.

    Parameters
    ----------
    workflow_id : whose version it is.
    expected : the version that the workflow was expected to have.
    actual : the version that it has; 0 where it has no event.
    """

    def __init__(self, workflow_id: str, expected: int, actual: int) -> None:
        self.workflow_id = workflow_id
        self.expected = expected
        self.actual = actual
        super().__init__(workflow_id, expected, actual)

    def __str__(self) -> str:
        return (
            f"workflow {shown(self.workflow_id)} is at version {self.actual}, "
            f"expected {self.expected}: read its events and decide again"
        )


class FencedError(RefusedError):
    """Somebody took the workflow over: who held this epoch may append no more.

    Parameters
    ----------
    workflow_id : which workflow.
    epoch : that of the append.
    actual : the epoch now.
    """

    def __init__(self, workflow_id: str, epoch: int, actual: int) -> None:
        self.workflow_id = workflow_id
        self.epoch = epoch
        self.actual = actual
        super().__init__(workflow_id, epoch, actual)

    def __str__(self) -> str:
        return (
            f"workflow {shown(self.workflow_id)} is in epoch {self.actual}, "
            f"not in epoch {self.epoch}: somebody else holds it"
        )


class DuplicateEventError(RefusedError):
    """An event with this id is stored, and it is another event.

    Parameters
    ----------
    event_id : the id that both bear.
    """

    def __init__(self, event_id: UUID) -> None:
        self.event_id = event_id
        super().__init__(event_id)

    def __str__(self) -> str:
        return f"event {self.event_id} is stored with other content: an id is given once"


class IllegalMoveError(RefusedError):
    """The workflow is in no state for what was asked of it.

    Parameters
    ----------
    workflow_id : which workflow.
    asked : what was to happen (``"move to executing"``).
    status : the state that it is in, and whether it is paused.
    allowed : what may happen instead, in the same words; nothing where it is empty.
    why : said where it is empty, in plain words.
    """

    def __init__(
        self,
        workflow_id: str,
        asked: str,
        status: str,
        allowed: Sequence[str],
        why: str = "this state does not allow it",
    ) -> None:
        self.workflow_id = workflow_id
        self.asked = asked
        self.status = status
        self.allowed = tuple(allowed)
        self.why = why
        super().__init__(workflow_id, asked, status, self.allowed, why)

    def __str__(self) -> str:
        return f"workflow {shown(self.workflow_id)} is {self.status}: cannot {self.asked}; " + (
            f"allowed: {', '.join(self.allowed)}" if self.allowed else self.why
        )


class NotYetCreatedError(NotFoundError):
    """There was no such workflow at that instant; there is one now.

    Parameters
    ----------
    workflow_id : which workflow.
    asked : the instant that was asked about.
    created_at : when its first event was recorded.
    """

    def __init__(self, workflow_id: str, asked: datetime, created_at: datetime) -> None:
        super().__init__("workflow", workflow_id)
        self.workflow_id = workflow_id
        self.asked = asked
        self.created_at = created_at
        self.args = (workflow_id, asked, created_at)

    def __str__(self) -> str:
        return (
            f"workflow {shown(self.workflow_id)} did not exist at {self.asked.isoformat()}: "
            f"it was created at {self.created_at.isoformat()}"
        )


class WorkflowNotFoundError(NotFoundError):
    """No event of a workflow with this id."""

    def __init__(self, workflow_id: str) -> None:
        super().__init__("workflow", workflow_id)
        self.args = (workflow_id,)


class UnknownBeforeMigrationError(NotFoundError):
    """The workflow lived before its events were kept: what it was then, nobody recorded.

    Parameters
    ----------
    workflow_id : which workflow.
    asked : the instant that was asked about.
    known_since : from when on its events are kept.
    """

    def __init__(self, workflow_id: str, asked: datetime, known_since: datetime) -> None:
        super().__init__("workflow", workflow_id)
        self.workflow_id = workflow_id
        self.asked = asked
        self.known_since = known_since
        self.args = (workflow_id, asked, known_since)

    def __str__(self) -> str:
        return (
            f"workflow {shown(self.workflow_id)} at {self.asked.isoformat()}: unknown before the "
            f"migration, its events are kept since {self.known_since.isoformat()}"
        )


class EventLoopError(AetherOpsError, RuntimeError):
    """A call that waits for an event loop, where it would stop the loop or wait for ever.

    Parameters
    ----------
    called : what was called (``"WorkflowEngine.open()"``).
    reason : why it cannot be, and what to call instead.
    """

    def __init__(self, called: str, reason: str) -> None:
        self.called = called
        self.reason = reason
        super().__init__(called, reason)

    def __str__(self) -> str:
        return f"{self.called}: {self.reason}"


class MissingEventError(AetherOpsError):
    """Events were handed over with one missing between them: going on would lose it.

    Parameters
    ----------
    what : what counts them (``"version"``, ``"position"``).
    expected : the next one.
    actual : the one that came.
    """

    def __init__(self, what: str, expected: int, actual: int) -> None:
        self.what = what
        self.expected = expected
        self.actual = actual
        super().__init__(what, expected, actual)

    def __str__(self) -> str:
        return f"expected the event of {self.what} {self.expected}, got {self.actual}"


class UnreadableEventError(AetherOpsError):
    """A stored event that this version cannot read.

    Parameters
    ----------
    kind : its kind, as stored.
    schema_version : its schema version, as stored.
    reason : what is wrong.
    """

    def __init__(self, kind: str, schema_version: int, reason: str) -> None:
        self.kind = kind
        self.schema_version = schema_version
        self.reason = reason
        super().__init__(kind, schema_version, reason)

    def __str__(self) -> str:
        return f"event {shown(self.kind)}, schema version {self.schema_version}: {self.reason}"


class UnknownKindError(UnreadableEventError):
    """No event of this kind is known here."""


class UnknownSchemaVersionError(UnreadableEventError):
    """The kind is known, and written by a newer version or by one without upcaster."""


class DamagedEventError(UnreadableEventError):
    """The payload is not what its kind and schema version say."""
