"""What every event of a workflow has, and how a kind of event is declared."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar, Self, TypeAlias, TypeVar
from uuid import UUID

from aetherops.errors import InvalidInputError
from aetherops.workflow.checks import Check, instant, name_text, optional, positive, uuid
from aetherops.workflow.events.fields import FieldType, field_types
from aetherops.workflow.events.ids import uuid7

__all__ = ["Form", "Name", "Stage", "State", "WorkflowEvent", "event_kind", "require_event"]

#: Text of 1 to 200 characters, none of them a control character.
Name: TypeAlias = str
#: One of `STATES`, of `STAGES`, of `FORMS`.
State: TypeAlias = str
Stage: TypeAlias = str
Form: TypeAlias = str


_MAX_SCHEMA_VERSION = 2**15 - 1  # what stores keep in two bytes
_new, _set = object.__new__, object.__setattr__


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class WorkflowEvent:
    """Something that happened to a workflow. It cannot change, and can always be read back.

    Make one of the kinds below it. Two events are equal when they say the same, whether or not
    they were recorded.

    Parameters
    ----------
    workflow_id : of which workflow; 1 to 200 characters.
    version : the how-manieth event of its workflow this is, from 1.
    event_id : names this event for ever; a new UUIDv7 where not given.
    occurred_at : when it happened, with an offset; kept in UTC to the microsecond. Now where not
        given.
    actor : who caused it: an operator, a service.
    correlation_id : of the conversation that it belongs to.
    causation_id : of the event or the command that caused it.
    recorded_at : when a store took it; set by the store.
    position : its place in the order of all events, from 1; set by the store.

    Raises
    ------
    InvalidInputError
        A field is of another type or outside its limits; the error names it.
    """

    #: The name that this kind is stored under; another class may bear it later.
    kind: ClassVar[str] = ""
    #: Grows when the fields of this kind change; upcasters read the earlier ones.
    schema_version: ClassVar[int] = 1
    #: What the payload consists of, and what each part may hold.
    payload_fields: ClassVar[Mapping[str, FieldType]] = {}
    #: The same, as a stored payload is read.
    payload_reads: ClassVar[tuple[tuple[str, Check], ...]] = ()

    workflow_id: str
    version: int
    event_id: UUID = field(default_factory=uuid7, kw_only=True)
    occurred_at: datetime = field(default_factory=_now, kw_only=True)
    actor: str = field(default="system", kw_only=True)
    correlation_id: UUID | None = field(default=None, kw_only=True)
    causation_id: UUID | None = field(default=None, kw_only=True)
    recorded_at: datetime | None = field(default=None, kw_only=True, compare=False)
    position: int | None = field(default=None, kw_only=True, compare=False)

    def __post_init__(self) -> None:
        if not self.kind:
            raise TypeError(f"{type(self).__name__} is no kind of event: make one of its kinds")
        values = self.__dict__
        for name, check in _ENVELOPE_CHECKS.items():
            values[name] = check(values[name], name)
        for name, field_type in self.payload_fields.items():
            values[name] = field_type.check(values[name], name)

    @property
    def payload(self) -> dict[str, Any]:
        """The fields of this kind alone, by name; a new dictionary."""
        return {name: getattr(self, name) for name in self.payload_fields}

    @property
    def envelope(self) -> dict[str, Any]:
        """The fields that every event has, by name; a new dictionary."""
        return {name: getattr(self, name) for name in _ENVELOPE_CHECKS}

    @classmethod
    def restore(cls, envelope: Mapping[str, Any], payload: Mapping[str, Any]) -> Self:
        """An event from what a store kept; both were checked when it was made.

        Parameters
        ----------
        envelope : every field of `WorkflowEvent`, by name.
        payload : every field of this kind, by name.
        """
        return cls.restored({**envelope, **payload})

    @classmethod
    def restored(cls, values: dict[str, Any]) -> Self:
        """As `restore`, from all fields together; the dictionary becomes the event's own."""
        event = _new(cls)
        # Nothing is checked again and no default is made: a long history is read at full speed.
        _set(event, "__dict__", values)
        return event

    def recorded(self, recorded_at: datetime, position: int) -> Self:
        """The same event as a store has it."""
        return self.restored({**self.__dict__, "recorded_at": recorded_at, "position": position})


#: The fields every event has, and what each may hold.
_ENVELOPE_CHECKS: Mapping[str, Check] = {
    "workflow_id": name_text,
    "version": positive,
    "event_id": uuid,
    "occurred_at": instant,
    "actor": name_text,
    "correlation_id": optional(uuid),
    "causation_id": optional(uuid),
    "recorded_at": optional(instant),
    "position": optional(positive),
}

_Kind = TypeVar("_Kind", bound=type[WorkflowEvent])


def event_kind(name: str, schema_version: int = 1) -> Callable[[_Kind], _Kind]:
    """Declare a frozen dataclass as a kind of event, stored under a name of its own.

    Parameters
    ----------
    name : explicit and for ever: it stands in stored events, the name of the class does not.
    schema_version : of the fields as the class has them.

    Raises
    ------
    TypeError
        A field's annotation is none that events can check, or hides one that every event has.
    """

    def declare(cls: _Kind) -> _Kind:
        annotations = {f.name: str(f.type) for f in fields(cls)}
        own = [name for name in annotations if name not in _ENVELOPE_CHECKS]
        cls.kind = name_text(name, "kind")
        cls.schema_version = positive(schema_version, "schema_version")
        if schema_version > _MAX_SCHEMA_VERSION:
            raise InvalidInputError("schema_version", schema_version, f"1 to {_MAX_SCHEMA_VERSION}")
        cls.payload_fields = field_types(annotations, own)
        cls.payload_reads = tuple((name, t.read) for name, t in cls.payload_fields.items())
        return cls

    return declare


def require_event(event: object) -> WorkflowEvent:
    """The event itself; raises `InvalidInputError` for anything else."""
    if not isinstance(event, WorkflowEvent):
        raise InvalidInputError("event", event, "a WorkflowEvent")
    return event
