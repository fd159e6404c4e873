"""Samples as columns, and batches of them on their way into the store.

What a valid batch is stands here alone: whatever format it came in, an error says by these
names where it stands, as in ``series[0].times[1]``.
"""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self
from uuid import UUID

import numpy as np

from aetherops.archive.columns import MAX_BATCH_SAMPLES, BatchColumns
from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.instants import FIRST_US, LAST_US, from_us

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray

    from aetherops.archive.stream import Stream, StreamName

__all__ = ["MAX_BATCH_SAMPLES", "SampleBatch", "Samples", "Series", "within"]


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
                "microseconds since 1970, of an instant in the years "
                f"{from_us(FIRST_US).year} to {from_us(LAST_US).year}",
            )


class SampleBatch:
    """What is accepted, acknowledged and stored as one: samples of one or more streams.

    It is held as one pair of columns or as series, whichever it was made of; the other is made
    when it is first asked for.

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

    __slots__ = ("_batch_id", "_columns", "_length", "_series")

    def __init__(self, batch_id: UUID, series: tuple[Series, ...]) -> None:
        self._batch_id = batch_id
        self._series: tuple[Series, ...] | None = series
        self._columns: BatchColumns | None = None
        self._length = sum(len(one.samples) for one in series)
        _check(series, self._length)

    @classmethod
    def of_columns(cls, batch_id: UUID, columns: BatchColumns) -> Self | None:
        """A batch of columns that were read together; None where they make no valid one."""
        if not columns.are_valid():
            return None
        batch = cls.__new__(cls)
        batch._batch_id = batch_id
        batch._series, batch._columns, batch._length = None, columns, len(columns)
        return batch

    def _take(self, other: SampleBatch) -> None:
        """Be the same batch as another, which was checked."""
        self._batch_id, self._length = other._batch_id, other._length
        self._series, self._columns = other._series, other._columns

    @property
    def batch_id(self) -> UUID:
        """Under which it is stored once."""
        return self._batch_id

    @property
    def series(self) -> tuple[Series, ...]:
        """Its samples, series by series."""
        if self._series is None:
            self._series = _cut(self.columns)
        return self._series

    @property
    def columns(self) -> BatchColumns:
        """Its samples, all in one pair of columns."""
        if self._columns is None:
            self._columns = _joined(self.series)
        return self._columns

    @property
    def streams(self) -> Sequence[Stream]:
        """What it says of each of its streams."""
        return self.columns.streams

    def __len__(self) -> int:
        return self._length

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._batch_id}, {self._length} samples)"


def _check(series: tuple[Series, ...], length: int) -> None:
    if length == 0:
        raise InvalidInputError("series", "no samples", "at least one sample")
    if length > MAX_BATCH_SAMPLES:
        raise LimitExceededError("samples in one batch", MAX_BATCH_SAMPLES, length)
    seen: set[StreamName] = set()
    for i, one in enumerate(series):
        if len(one.samples) == 0:
            raise InvalidInputError(f"series[{i}]", "no samples", "at least one sample")
        name = one.stream.name
        if name in seen:
            raise InvalidInputError(f"series[{i}].stream", str(name), "each stream once in a batch")
        seen.add(name)


def _cut(columns: BatchColumns) -> tuple[Series, ...]:
    samples = Samples(columns.times_us, columns.values)
    pieces = itertools.pairwise(columns.edges())
    return tuple(
        Series(stream, samples[first:last])
        for stream, (first, last) in zip(columns.streams, pieces, strict=True)
    )


def _joined(series: tuple[Series, ...]) -> BatchColumns:
    return BatchColumns.of(
        [one.stream for one in series],
        [len(one.samples) for one in series],
        np.concatenate([one.samples.times_us for one in series]),
        np.concatenate([one.samples.values for one in series]),
    )


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
