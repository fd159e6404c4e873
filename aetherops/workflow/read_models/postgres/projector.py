"""The projector: takes the living generation along with the events, and rebuilds beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.errors import InvalidInputError
from aetherops.workflow.read_models.fold import SummaryFold
from aetherops.workflow.read_models.postgres.filling import GenerationFiller
from aetherops.workflow.read_models.postgres.generations import Generations
from aetherops.workflow.read_models.projecting import Rebuild

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.connections.postgres import Postgres
    from aetherops.workflow.read_models.fold import Folded
    from aetherops.workflow.read_models.postgres.generations import Generation

__all__ = ["PostgresProjector"]

# Larger batches write a workflow less often; nobody waits for these.
_REBUILD_BATCH = 100_000


class PostgresProjector:
    """`Projector` on a migrated database; any number may run, in any processes.

    Parameters
    ----------
    postgres : where the events are, and the read models.
    fold : from events to rows.
    abandoned_after_s : a rebuild that nobody has taken further for so long is gone on with.
    """

    def __init__(
        self, postgres: Postgres, fold: SummaryFold | None = None, abandoned_after_s: float = 15.0
    ) -> None:
        self._postgres = postgres
        self._fold = fold or SummaryFold()
        self._abandoned_after_s = abandoned_after_s
        self._generations = Generations(postgres)
        self._filler: GenerationFiller | None = None
        self._rebuilder: GenerationFiller | None = None

    async def advance(self, limit: int) -> Folded | None:
        """See `Projector.advance`."""
        living = await self._living()
        if living.fold_version != self._fold.version:
            return None
        if self._filler is None or not _goes_on_from(self._filler, living):
            self._filler = GenerationFiller(self._postgres, self._fold, living)
        return await self._filler.step(limit)

    async def look_after(self) -> Rebuild | None:
        """See `Projector.look_after`."""
        if await self._generations.remove_some():
            return Rebuild(0, is_swept=True)
        filler = self._rebuilder
        if filler is None or not filler.is_usable:
            filler = self._rebuilder = await self._left_to_do()
        if filler is None:
            return None
        done = await self._rebuild_step(filler)
        if done.is_finished:
            self._rebuilder = None
        return done

    async def rebuild(self, on_progress: Callable[[int], object] = lambda _: None) -> Rebuild:
        """See `Projector.rebuild`."""
        version = self._fold.version
        living = await self._living()
        if living.fold_version > version:
            newer = f"{living.fold_version}, for a newer version of this program fills them"
            raise InvalidInputError("version of the read models", version, newer)
        found = await self._generations.being_filled(version)
        filler = self._filler_of(found or await self._generations.begin(version))
        while not (done := await self._rebuild_step(filler)).is_finished:
            on_progress(done.position)
            if not filler.is_usable:  # another is at it, too: go on from where he is
                found = await self._generations.being_filled(version)
                filler = self._filler_of(found or await self._living())
        while await self._generations.remove_some():
            pass
        return done

    async def _rebuild_step(self, filler: GenerationFiller) -> Rebuild:
        """Take a batch in, or let the generation answer where there is no further one."""
        if await filler.step(_REBUILD_BATCH) is not None or not filler.is_usable:
            return Rebuild(filler.generation.position)
        living = await self._living()
        is_finished = living.number == filler.generation.number or await self._generations.swap(
            living, filler.generation
        )
        return Rebuild(filler.generation.position, is_finished=is_finished)

    async def _left_to_do(self) -> GenerationFiller | None:
        """A rebuild that somebody left, or a new one where what answers is outdated."""
        version, living = self._fold.version, await self._living()
        if living.fold_version > version:
            return None
        found = await self._generations.being_filled(version, self._abandoned_after_s)
        if found is None and living.fold_version < version:
            await self._generations.retire_older(version)
            if await self._generations.being_filled(version) is None:
                found = await self._generations.begin(version)
        return None if found is None else self._filler_of(found)

    async def _living(self) -> Generation:
        while (living := await self._generations.living()) is None:
            await self._generations.first(self._fold.version)
        return living

    def _filler_of(self, generation: Generation) -> GenerationFiller:
        return GenerationFiller(self._postgres, self._fold, generation)


def _goes_on_from(filler: GenerationFiller, living: Generation) -> bool:
    """Whether what it remembers is what is stored: nobody else has filled the generation since."""
    return filler.is_usable and filler.generation == living
