"""Who wants something of a workflow, and why: it stands in the event."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from aetherops.errors import ForbiddenError

if TYPE_CHECKING:
    from uuid import UUID

    from aetherops.identity.operators import Operator

__all__ = ["Cause"]


@dataclass(frozen=True, slots=True)
class Cause:
    """What an event says of whence it comes.

    Parameters
    ----------
    actor : who wants it.
    operator : whose rights decide; None for a part of the platform itself, which may do everything.
    correlation_id : of the conversation that it belongs to.
    causation_id : of the event or command that caused it.
    event_id : of the event that a command appends: the same command made again under it, after a
        lost answer, appends nothing. A new one where not given.
    expected_version : the version that the decision rests on; any where not given.
    """

    actor: str = "system"
    operator: Operator | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    event_id: UUID | None = None
    expected_version: int | None = None

    @classmethod
    def of(cls, operator: Operator) -> Self:
        """An operator wants it."""
        return cls(operator.operator_id, operator)

    def linked(
        self,
        *,
        correlation_id: UUID | None = None,
        causation_id: UUID | None = None,
        event_id: UUID | None = None,
        expected_version: int | None = None,
    ) -> Self:
        """The same, with what it follows from and rests on."""
        return replace(
            self,
            correlation_id=correlation_id,
            causation_id=causation_id,
            event_id=event_id,
            expected_version=expected_version,
        )

    def require_role(self, role: str) -> None:
        """Raise `ForbiddenError` unless it is in this role, or may do everything."""
        operator = self.operator
        if operator is None or role.lower() in operator.roles or operator.can("admin"):
            return
        roles = ", ".join(sorted(operator.roles)) or "no role"
        raise ForbiddenError(f"this takes the word of the role {role!r}; you have {roles}")
