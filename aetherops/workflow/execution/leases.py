"""Who holds which workflow: claims with epochs, and heartbeats that tell the dead from the slow.

Time decides who is taken for dead; what a runner may still do is decided by the epoch alone: each
append carries the one of its claim, and a claim begins the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

__all__ = ["Claim", "Leases"]


class Claim(NamedTuple):
    """A workflow that a runner holds.

    Parameters
    ----------
    workflow_id : which.
    epoch : that its appends carry.
    is_taken_over : whether a runner held it that is taken for dead.
    """

    workflow_id: str
    epoch: int
    is_taken_over: bool


class Leases(Protocol):
    """What one runner asks of where claims are kept; a restarted runner is another one.

    Every method raises `UnavailableError` where that is away.
    """

    async def beat(self) -> datetime:
        """Say that this runner lives; returns the time there, which all runners share."""
        ...

    async def claim(
        self, most: int, definitions: Sequence[str], held: Collection[str]
    ) -> list[Claim]:
        """Take workflows to execute, those of dead runners first, then those that are due.

        Parameters
        ----------
        most : at most so many.
        definitions : keys of the definitions that this runner has.
        held : what it holds. What is written down as its own beside these was claimed with an
            answer that got lost, and is claimed anew.
        """
        ...

    async def release(self, claim: Claim, due_at: datetime | None, position: int) -> None:
        """Hold a workflow no longer; nothing where another holds it by now.

        Parameters
        ----------
        claim : as it was taken.
        due_at : when it is to be taken next; None where it waits for an event.
        position : of the last event that was seen: later ones make it due at once.
        """
        ...

    async def finish(self, claim: Claim) -> None:
        """There is nothing to execute any more; nothing where another holds it by now."""
        ...

    async def wake(self) -> Mapping[str, int]:
        """Make due what operators changed; returns the held ones of this runner among all such.

        Each with the position of the last event by which somebody changed it.
        """
        ...

    async def leave(self) -> None:
        """This runner is gone: what it holds may be taken at once."""
        ...

    async def offer(self, workflow_id: str, definition: str) -> int | None:
        """Note that a workflow is about to begin; returns the epoch to begin it with.

        None where it has events. What never begins is dropped by a runner later, which fences
        who would have begun it.
        """
        ...

    async def make_due(self, workflow_id: str) -> None:
        """A runner may take it now."""
        ...
