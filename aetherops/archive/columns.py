"""All samples of a batch in one pair of columns, so that they are checked and moved together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aetherops.instants import FIRST_US, LAST_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aetherops.archive.stream import Stream, StreamName

__all__ = ["MAX_BATCH_SAMPLES", "BatchColumns"]

#: The most samples that one batch may hold, over all its series.
MAX_BATCH_SAMPLES = 262_144


@dataclass(frozen=True, slots=True, eq=False)
class BatchColumns:
    """Samples of several streams, one stream's behind the other's.

    Parameters
    ----------
    streams : whose samples they are, in order.
    names : their names, in the same order.
    counts : int64, how many samples each stream has.
    times_us, values : int64 and float64 columns of the samples of all of them.
    """

    streams: tuple[Stream, ...]
    names: tuple[StreamName, ...]
    counts: NDArray[np.int64]
    times_us: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        streams: list[Stream],
        counts: list[int],
        times_us: NDArray[np.int64],
        values: NDArray[np.float64],
    ) -> BatchColumns:
        """The columns with the names that their streams have."""
        names = tuple([stream.name for stream in streams])
        return cls(tuple(streams), names, np.array(counts, np.int64), times_us, values)

    def __len__(self) -> int:
        return len(self.times_us)

    def edges(self) -> list[int]:
        """Where each stream's samples begin, and where the last stream's end."""
        return [0, *np.cumsum(self.counts).tolist()]

    def are_valid(self) -> bool:
        """Whether a batch may hold them: what `SampleBatch` and `Series` ask for, all at once.

        It says nothing of where something is wrong: series by series that is found by those.
        """
        times, values = self.times_us, self.values
        return bool(
            0 < len(times) <= MAX_BATCH_SAMPLES
            and self.counts.min() > 0
            and self.counts.sum() == len(times) == len(values)
            and np.isfinite(values).all()
            and times.min() >= FIRST_US
            and times.max() <= LAST_US
            and len(set(self.names)) == len(self.names)
        )
