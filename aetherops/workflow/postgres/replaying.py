"""A history folded as it is read: of its many steps no event is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta

from aetherops.errors import InvalidInputError
from aetherops.instants import from_us
from aetherops.workflow.checks import name_text
from aetherops.workflow.events.kinds import StepCompleted, StepStarted
from aetherops.workflow.json_values import FrozenDict, JsonValue

if TYPE_CHECKING:
    from collections.abc import Iterable

    import asyncpg

    from aetherops.workflow.events.codec import EventCodec
    from aetherops.workflow.projection.projection import WorkflowProjection

__all__ = ["FOLDED_COLUMNS", "Replayer"]

#: Of the table, in the order that `Replayer.take` takes them: what a state consists of.
FOLDED_COLUMNS = "kind, schema_version, version, occurred_us, payload, actor"

_Number = Annotated[int, Meta(ge=1, le=2**63 - 1)]
_Plain = str | bool | float | Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None
# Most values are so. Whatever is nested is read as an event, which also counts its levels.
_Flat = _Plain | dict[str, _Plain]


class _Started(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The payload of `StepStarted`."""

    step: str
    attempt: _Number
    executor: str | None
    input: _Flat  # no state has it, but it has to be what can be read


class _Completed(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """The payload of `StepCompleted`."""

    step: str
    attempt: _Number
    result: _Flat


_read_started = msgspec.json.Decoder(_Started).decode
_read_completed = msgspec.json.Decoder(_Completed).decode
_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, InvalidInputError)


class Replayer:
    """Folds rows into projections.

    Steps of today's form are read straight off their payload. Everything else, and whatever is not
    as it should be, goes the way of events, which has a name for each fault.

    Parameters
    ----------
    codec : the kinds and upcasters that are known.
    """

    def __init__(self, codec: EventCodec) -> None:
        self._codec = codec
        # The stored names of both, unless a program reads them as classes of its own.
        self._started, self._completed = (
            cls.kind if codec.kinds.get(cls.kind) is cls else None
            for cls in (StepStarted, StepCompleted)
        )

    def take(
        self, projection: WorkflowProjection, workflow_id: str, rows: Iterable[asyncpg.Record]
    ) -> None:
        """Take the rows of `FOLDED_COLUMNS` in, the next of this workflow.

        Raises
        ------
        MissingEventError, UnreadableEventError
            As `EventStore.replay` says.
        """
        names: set[str | None] = {None}  # that are as names should be
        for kind, schema_version, version, at_us, payload, actor in rows:
            try:
                if version == 1:
                    pass  # says which workflow it is
                elif kind == self._started and schema_version == StepStarted.schema_version:
                    begun = _read_started(payload)
                    step, executor = begun.step, begun.executor
                    if step not in names:
                        names.add(name_text(step, "step"))
                    if executor not in names:
                        names.add(name_text(executor, "executor"))
                    projection.step_started(version, at_us, step, begun.attempt, executor)
                    continue
                elif kind == self._completed and schema_version == StepCompleted.schema_version:
                    done = _read_completed(payload)
                    step = done.step
                    if step not in names:
                        names.add(name_text(step, "step"))
                    projection.step_completed(
                        version, at_us, step, done.attempt, done.result, _result
                    )
                    continue
            except _FAULTS:
                pass  # told by name below
            envelope = {
                "workflow_id": workflow_id,
                "version": version,
                "occurred_at": from_us(at_us),
                "actor": actor,
            }
            projection.apply(self._codec.decode(kind, schema_version, payload, envelope))


def _result(value: _Flat) -> JsonValue:
    """A result as an event would have it."""
    return FrozenDict(value) if type(value) is dict else value
