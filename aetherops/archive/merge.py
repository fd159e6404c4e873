"""One value for an instant: how samples that arrive late or twice settle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from aetherops.archive.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["IncomingSamples", "Tally", "VersionedSamples", "merge_samples"]


@dataclass(frozen=True, slots=True, eq=False)
class VersionedSamples:
    """Samples and the version of the batch that each came in, three columns of equal length."""

    samples: Samples
    versions: NDArray[np.int64]

    @classmethod
    def empty(cls) -> Self:
        """No samples."""
        return cls(Samples.empty(), np.empty(0, np.int64))

    @classmethod
    def join(cls, parts: Iterable[VersionedSamples]) -> Self:
        """All samples of the parts, in their order."""
        parts = [part for part in parts if len(part)]
        if len(parts) == 1:
            return cls(parts[0].samples, parts[0].versions)
        if not parts:
            return cls.empty()
        return cls(
            Samples(
                np.concatenate([part.samples.times_us for part in parts]),
                np.concatenate([part.samples.values for part in parts]),
            ),
            np.concatenate([part.versions for part in parts]),
        )

    def __len__(self) -> int:
        return len(self.versions)

    def __getitem__(self, index: slice | NDArray[np.intp] | NDArray[np.bool_]) -> VersionedSamples:
        return VersionedSamples(self.samples[index], self.versions[index])


@dataclass(frozen=True, slots=True, eq=False)
class IncomingSamples:
    """New samples of one stream; ``origin[i]`` is the index of the batch that sample i is of."""

    versioned: VersionedSamples
    origin: NDArray[np.intp]

    @property
    def times_us(self) -> NDArray[np.int64]:
        """Instants of the samples."""
        return self.versioned.samples.times_us

    def __getitem__(self, index: slice | NDArray[np.intp] | NDArray[np.bool_]) -> IncomingSamples:
        return IncomingSamples(self.versioned[index], self.origin[index])


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """How many samples of each batch were new, changed nothing, or corrected another."""

    stored: NDArray[np.int64]
    duplicates: NDArray[np.int64]
    corrected: NDArray[np.int64]

    @classmethod
    def zero(cls, batches: int) -> Self:
        """Nothing counted yet."""
        return cls(*(np.zeros(batches, np.int64) for _ in range(3)))

    def add(self, other: Tally) -> None:
        """Count another tally's samples too."""
        self.stored[:] += other.stored
        self.duplicates[:] += other.duplicates
        self.corrected[:] += other.corrected


def merge_samples(
    existing: VersionedSamples, incoming: IncomingSamples, batches: int
) -> tuple[VersionedSamples, Tally]:
    """Merge new samples into those that are there: sorted by time, one an instant.

    Of several samples at one instant the highest version counts, and of equal versions the
    later in its batch; so the outcome does not depend on the order in which batches are
    stored. Values are compared by their bits.

    Parameters
    ----------
    existing : sorted by time, one an instant.
    incoming : in any order.
    batches : number of batches that `incoming.origin` refers to.
    """
    tally = Tally.zero(batches)
    times = incoming.times_us
    if _goes_on(existing.samples.times_us, times):
        tally.stored[:] += np.bincount(incoming.origin, minlength=batches)
        return VersionedSamples.join([existing, incoming.versioned]), tally

    origin = np.concatenate([np.full(len(existing), -1), incoming.origin])
    joined = VersionedSamples.join([existing, incoming.versioned])
    order = np.lexsort((joined.versions, joined.samples.times_us))
    joined, origin = joined[order], origin[order]

    starts = _changes(joined.samples.times_us)
    ends = np.append(starts[1:], True)
    is_new, is_known = _classify(joined.samples.values.view(np.int64), origin, starts)
    arrived = origin >= 0
    for counter, mask in (
        (tally.stored, is_new),
        (tally.duplicates, arrived & ~is_new & is_known),
        (tally.corrected, arrived & ~is_new & ~is_known),
    ):
        counter[:] += np.bincount(origin[mask], minlength=batches)
    return joined[ends], tally


def _goes_on(existing: NDArray[np.int64], times: NDArray[np.int64]) -> bool:
    """Whether every new instant lies behind all before it, as those of a live stream do."""
    if len(existing) and len(times) and times[0] <= existing[-1]:
        return False
    return bool(np.all(times[1:] > times[:-1]))


def _changes(times: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Where a sorted column takes a new value, its first element included."""
    return np.concatenate([[True], times[1:] != times[:-1]])


def _classify(
    bits: NDArray[np.int64], origin: NDArray[np.intp], starts: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which samples opened an instant, and which changed nothing there.

    Nothing is changed by a sample that repeats the value before it, nor by one that lost to what
    was stored: a later version was there first.
    """
    place = np.arange(len(origin))
    stored_at = np.maximum.reduceat(np.where(origin < 0, place, -1), np.flatnonzero(starts))
    stored_at = stored_at[np.cumsum(starts) - 1]
    is_new = starts & (stored_at < 0)
    before = np.concatenate([bits[:1], bits[:-1]])
    return is_new, (place < stored_at) | (bits == before)
