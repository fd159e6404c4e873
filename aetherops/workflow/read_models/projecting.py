"""What keeps read models up with the events, whatever they are kept in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.workflow.read_models.fold import Folded

__all__ = ["Projector", "Rebuild"]


@dataclass(frozen=True, slots=True)
class Rebuild:
    """How far a rebuild is.

    Parameters
    ----------
    position : of the last event that the new generation holds.
    is_finished : it answers from now on.
    is_swept : no rebuild: rows of an earlier generation were removed.
    """

    position: int
    is_finished: bool = False
    is_swept: bool = False


class Projector(Protocol):
    """Takes read models along with the events: batches, each with its checkpoint in one
    transaction. Any number of projectors may run; none of them doubles what another did.

    Read models belong to a version of the program: a newer one fills them anew, beside those that
    answer, and swaps them once they are as far. Until then those stand still where no program of
    their version runs; a program of an earlier version leaves them alone.

    Every method raises `UnavailableError` where the database is away or cannot write.
    """

    async def advance(self, limit: int) -> Folded | None:
        """Take the next events in, at most so many.

        Returns
        -------
        What changed; None where there was none, another was faster, or another version fills them.

        Raises
        ------
        MissingEventError
            A position is missing: the store has broken its promise.
        """
        ...

    async def look_after(self) -> Rebuild | None:
        """A piece of what has to be done beside: a rebuild where one is needed or was left
        unfinished, and removing what it replaced; None where nothing is to be done.
        """
        ...

    async def rebuild(self, on_progress: Callable[[int], object] = lambda _: None) -> Rebuild:
        """Fill the read models anew from the first event, beside those that answer, and swap.

        One that was killed is gone on with. Workflows that were parked are tried again.

        Parameters
        ----------
        on_progress : is told the position after each batch.

        Raises
        ------
        InvalidInputError
            A newer version of this program fills them.
        """
        ...
