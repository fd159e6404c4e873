"""Upcasters: how an event written under an earlier schema is read as one of today's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from aetherops.errors import InvalidInputError
from aetherops.workflow.errors import DamagedEventError, UnknownKindError, UnknownSchemaVersionError
from aetherops.workflow.events.base import WorkflowEvent

__all__ = ["Upcast", "Upcasters"]

#: Takes the payload of one schema version and returns that of the next.
Upcast: TypeAlias = Callable[[dict[str, Any]], dict[str, Any]]


class Upcasters:
    """Steps from one schema version of a kind to the next, chained when an event is read.

    Stored events are never rewritten. A step from (kind, version) leads to (kind, version + 1), or
    to version 1 of another kind where the kind was renamed.

    Parameters
    ----------
    kinds : every kind that is known today, by its stored name.
    """

    def __init__(self, kinds: Mapping[str, type[WorkflowEvent]]) -> None:
        self._kinds = kinds
        self._steps: dict[tuple[str, int], tuple[Upcast, str, int]] = {}

    def add(
        self, kind: str, schema_version: int, upcast: Upcast, *, renamed_to: str | None = None
    ) -> None:
        """Register the step that leaves this schema version of this kind.

        Raises
        ------
        InvalidInputError
            There is one already.
        """
        start = (kind, schema_version)
        if start in self._steps:
            raise InvalidInputError("upcaster", start, "one upcaster a kind and schema version")
        end = (kind, schema_version + 1) if renamed_to is None else (renamed_to, 1)
        self._steps[start] = (upcast, *end)

    def upcast(
        self, kind: str, schema_version: int, payload: dict[str, Any]
    ) -> tuple[type[WorkflowEvent], dict[str, Any]]:
        """Today's class of a stored event, and its payload as today's fields.

        Raises
        ------
        UnknownKindError
            Neither a kind of today nor one that was renamed.
        UnknownSchemaVersionError
            A version that is newer than ours, or that no upcaster leaves.
        DamagedEventError
            The payload is none that an upcaster can read.
        """
        cls = self._kinds.get(kind)
        if cls is not None and cls.schema_version == schema_version:
            return cls, payload
        step = self._steps.get((kind, schema_version))
        if step is None:
            raise self._unknown(kind, schema_version)
        upcast, next_kind, next_version = step
        try:
            payload = upcast(payload)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            reason = f"its upcaster cannot read it: {error!r}"
            raise DamagedEventError(kind, schema_version, reason) from error
        return self.upcast(next_kind, next_version, payload)

    def check(self) -> None:
        """Make sure that every earlier schema version of every kind leads to today's.

        Raises
        ------
        InvalidInputError
            A step is missing, or leads nowhere; the error names it.
        """
        for kind, cls in self._kinds.items():
            for version in range(1, cls.schema_version):
                if (kind, version) not in self._steps:
                    raise InvalidInputError("upcasters", (kind, version), "a step that leaves it")
        for start in self._steps:
            self._follow(start)

    def _follow(self, start: tuple[str, int]) -> None:
        seen, at = {start}, start
        while at in self._steps:
            at = self._steps[at][1:]
            if at in seen:
                raise InvalidInputError("upcasters", start, "a chain that ends")
            seen.add(at)
        cls = self._kinds.get(at[0])
        if cls is None or cls.schema_version != at[1]:
            raise InvalidInputError("upcasters", start, "a chain that ends at a kind of today")

    def _unknown(self, kind: str, schema_version: int) -> Exception:
        cls = self._kinds.get(kind)
        if cls is None:
            return UnknownKindError(kind, schema_version, "no such kind is known here")
        return UnknownSchemaVersionError(
            kind, schema_version, f"this version knows 1 to {cls.schema_version}"
        )
