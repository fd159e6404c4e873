"""Events as a store keeps them: a payload of JSON bytes beside the envelope's columns."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.workflow.errors import DamagedEventError
from aetherops.workflow.events.base import WorkflowEvent, require_event
from aetherops.workflow.events.kinds import KINDS
from aetherops.workflow.events.upcasters import Upcasters

__all__ = ["MAX_PAYLOAD_BYTES", "EventCodec"]

#: The most bytes that the payload of one event may take.
MAX_PAYLOAD_BYTES = 1 << 20


class EventCodec:
    """Writes payloads and reads them, whatever schema version they were written under.

    Parameters
    ----------
    kinds : every kind that is known, by its stored name.
    upcasters : the way from earlier schema versions; checked for completeness here.
    parse : JSON bytes to an object; by default `json.loads`, a faster one may stand here.

    Raises
    ------
    InvalidInputError
        An upcaster is missing.
    """

    def __init__(
        self,
        kinds: Mapping[str, type[WorkflowEvent]] = KINDS,
        upcasters: Upcasters | None = None,
        parse: Callable[[bytes], Any] | None = None,
    ) -> None:
        #: Every kind that is known, by its stored name.
        self.kinds = kinds
        self._upcasters = upcasters or Upcasters(kinds)
        self._upcasters.check()
        self._parse = json.loads if parse is None else parse

    def encode(self, event: WorkflowEvent) -> bytes:
        """The payload as JSON in UTF-8, its keys in the order of the fields.

        Raises
        ------
        InvalidInputError
            No event, or of a kind that this codec could not read back.
        LimitExceededError
            The payload takes more than `MAX_PAYLOAD_BYTES`.
        """
        require_event(event)
        if self.kinds.get(event.kind) is not type(event):
            raise InvalidInputError("event.kind", event.kind, "a kind that the store was given")
        data = _write(event.payload).encode()
        if len(data) > MAX_PAYLOAD_BYTES:
            raise LimitExceededError(
                "bytes in the payload of an event", MAX_PAYLOAD_BYTES, len(data)
            )
        return data

    def decode(
        self, kind: str, schema_version: int, data: bytes, envelope: Mapping[str, Any]
    ) -> WorkflowEvent:
        """The event, as today's class.

        Parameters
        ----------
        kind, schema_version, data : as stored.
        envelope : the other fields of `WorkflowEvent`, by name.

        Raises
        ------
        UnknownKindError, UnknownSchemaVersionError
            This version does not know how to read it.
        DamagedEventError
            The payload is not what its kind says.
        """
        try:
            payload = self._parse(data)
        except (ValueError, RecursionError) as error:  # no JSON, no UTF-8, or nested without end
            raise DamagedEventError(kind, schema_version, f"no JSON: {error}") from error
        if type(payload) is not dict:
            raise DamagedEventError(kind, schema_version, "no object of JSON")
        cls = self.kinds.get(kind)
        if cls is None or cls.schema_version != schema_version:
            cls, payload = self._upcasters.upcast(kind, schema_version, payload)
        reads = cls.payload_reads
        if len(payload) != len(reads):
            raise DamagedEventError(kind, schema_version, f"fields {sorted(payload)}")
        try:
            for name, read in reads:
                payload[name] = read(payload[name], name)
        except KeyError:
            raise DamagedEventError(kind, schema_version, f"fields {sorted(payload)}") from None
        except InvalidInputError as error:
            raise DamagedEventError(kind, schema_version, str(error)) from error
        payload.update(envelope)
        return cls.restored(payload)


def _instant_text(value: object) -> str:
    """How an instant stands in a payload; nothing else reaches this."""
    assert isinstance(value, datetime)
    return value.isoformat()


# One for all: making it takes longer than most payloads. What events hold is checked to be a tree.
_write = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":"), default=_instant_text
).encode
