"""Samples as columns, and batches of them on their way into the store.

What a valid batch is stands here alone: whatever format it came in, an error says by these
names where it stands, as in ``series[0].times[1]``.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from uuid import UUID

import numpy as np

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.instants import FIRST_US, LAST_US, from_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import ArrayLike, NDArray

    from aetherops.archive.stream import Stream, StreamName

__all__ = ["MAX_BATCH_SAMPLES", "SampleBatch", "Samples", "Series", "within"]

#: The most samples that one batch may hold, over all its series.
MAX_BATCH_SAMPLES = 262_144


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Instants and values of one stream, as two columns of equal length.

    Parameters
    ----------
    times_us : int64, shape (n,), microseconds since 1970 UTC, in any order.
    values : float64, shape (n,).
    """

    times_us: NDArray[np.int64]
    values: NDArray[np.float64]

    @classmethod
    def of(cls, times_us: ArrayLike, values: ArrayLike) -> Self:
        """Columns from anything array-like, without a copy where the types fit already."""
        samples = cls(
            np.ascontiguousarray(times_us, dtype=np.int64),
            np.ascontiguousarray(values, dtype=np.float64),
        )
        if samples.times_us.shape != samples.values.shape or samples.times_us.ndim != 1:
            raise InvalidInputError(
                "values",
                f"{samples.values.shape} beside times of {samples.times_us.shape}",
                "two one-dimensional columns of equal length",
            )
        return samples

    @classmethod
    def empty(cls) -> Self:
        """No samples."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float64))

    def __len__(self) -> int:
        return len(self.times_us)

    def __getitem__(self, index: slice | NDArray[np.intp] | NDArray[np.bool_]) -> Samples:
        return Samples(self.times_us[index], self.values[index])


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Samples of one stream in a batch; every value is finite, every instant representable.

    Raises
    ------
    InvalidInputError
        A value is NaN or infinite, or an instant lies outside the years 1 to 9999.
    """

    stream: Stream
    samples: Samples

    def __post_init__(self) -> None:
        times, values = self.samples.times_us, self.samples.values
        finite = np.isfinite(values)
        if not finite.all():
            at = int(np.argmin(finite))
            raise InvalidInputError(f"values[{at}]", float(values[at]), "a finite number")
        if len(times) and not (times.min() >= FIRST_US and times.max() <= LAST_US):
            at = int(np.argmax((times < FIRST_US) | (times > LAST_US)))
            raise InvalidInputError(
                f"times[{at}]",
                int(times[at]),
                f"microseconds between {from_us(FIRST_US).year} and {from_us(LAST_US).year}",
            )


@dataclass(frozen=True, slots=True, eq=False)
class SampleBatch:
    """What is accepted, acknowledged and stored as one: samples of one or more streams.

    Parameters
    ----------
    batch_id : chosen by the sender. The same id is stored once, however often it arrives.
    series : at least one, none empty, no stream twice.

    Raises
    ------
    InvalidInputError
        There is no sample, in all or in one of the series, or a stream appears twice.
    LimitExceededError
        There are more than `MAX_BATCH_SAMPLES` samples.
    """

    batch_id: UUID
    series: tuple[Series, ...]

    def __post_init__(self) -> None:
        if len(self) == 0:
            raise InvalidInputError("series", "no samples", "at least one sample")
        if len(self) > MAX_BATCH_SAMPLES:
            raise LimitExceededError("samples in one batch", MAX_BATCH_SAMPLES, len(self))
        seen: set[StreamName] = set()
        for i, series in enumerate(self.series):
            if len(series.samples) == 0:
                raise InvalidInputError(f"series[{i}]", "no samples", "at least one sample")
            name = series.stream.name
            if name in seen:
                raise InvalidInputError("series", str(name), "each stream once in a batch")
            seen.add(name)

    @property
    def streams(self) -> list[Stream]:
        """What it says of each of its streams."""
        return [one.stream for one in self.series]

    def __len__(self) -> int:
        return sum(len(series.samples) for series in self.series)


@contextmanager
def within(place: str) -> Iterator[None]:
    """Name errors inside by where they stand in the whole: ``times[1]`` becomes ``place.times[1]``.

    Parameters
    ----------
    place : as a sender would write it; empty for the whole itself.
    """
    try:
        yield
    except InvalidInputError as error:
        field = ".".join(part for part in (place, error.field) if part)
        raise InvalidInputError(field, error.value, error.expected) from error
