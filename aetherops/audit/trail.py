"""What the platform needs of an audit trail. `postgres` and `memory` keep this promise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["AuditEntry", "AuditTrail", "Authorship", "KeptEntry"]


@dataclass(frozen=True, slots=True)
class Authorship:
    """Whose change it is.

    Parameters
    ----------
    operator : who made it.
    at_us : when, in microseconds since 1970 UTC.
    correlation : id of the request that it came with.
    """

    operator: str
    at_us: int
    correlation: str

    def entry(
        self,
        action: str,
        subject: str,
        old: Mapping[str, str | None],
        new: Mapping[str, str | None],
    ) -> AuditEntry:
        """The entry of a change that this author made."""
        return AuditEntry(
            self.at_us, self.operator, action, subject, dict(old), dict(new), self.correlation
        )


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One change.

    Parameters
    ----------
    at_us : when, in microseconds since 1970 UTC.
    operator : who made it.
    action : a name that stays, such as ``"stream.describe"``.
    subject : what was changed, such as the name of a stream.
    old, new : the fields that differ, before and after.
    correlation : id of the request that it came with.
    """

    at_us: int
    operator: str
    action: str
    subject: str
    old: dict[str, str | None]
    new: dict[str, str | None]
    correlation: str


@dataclass(frozen=True, slots=True)
class KeptEntry:
    """An entry in the trail; ids grow."""

    entry_id: int
    entry: AuditEntry


class AuditTrail(Protocol):
    """Keeps every entry for good."""

    async def append(self, entry: AuditEntry) -> None:
        """Keep an entry; once this returns it is durable."""
        ...

    async def entries(
        self, *, subject: str | None = None, after: int = 0, limit: int = 100
    ) -> Sequence[KeptEntry]:
        """Entries whose ids follow `after`, of one subject or of all, the first first."""
        ...
