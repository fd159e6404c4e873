"""What an aggregator answers: the summary of a window, and buckets drained from it."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Mapping
from math import nan, sqrt
from types import MappingProxyType
from typing import Any, NamedTuple, Self, TypeAlias, TypeVar

from aetherops.aggregation.columns import Column, IntegerColumn, frozen
from aetherops.core import Buckets

__all__ = ["BucketColumns", "Drained", "WindowSummary", "all_columns", "completed_columns"]

#: For each factor, for each function, a column with a value a bucket. All of it is read-only.
BucketColumns: TypeAlias = Mapping[int, Mapping[str, Column]]


_Record = TypeVar("_Record")


class WindowSummary(NamedTuple):
    """A window of values, as it stood when it was asked for. Columns are read-only memoryviews.

    Parameters
    ----------
    count : values in it; with ``nan_policy="omit"`` without the NaN.
    mean, variance, std, min, max, first, last : of the values; NaN where there are too few.
    buckets : for each factor, for each function, a column with a value a bucket.
    anomaly_indices : positions of the anomalous values, counted from the first value pushed.
    """

    count: int  # type: ignore[assignment]  # of values, not of equal fields
    mean: float
    variance: float
    std: float
    min: float
    max: float
    first: float
    last: float
    buckets: BucketColumns
    anomaly_indices: IntegerColumn

    @classmethod
    def of(
        cls,
        summary: tuple[int, float, float, float, float, float, float],
        ddof: int,
        buckets: BucketColumns,
        anomaly_indices: array[int],
    ) -> Self:
        """From the ``summary()`` of moments, and columns that nobody else will change."""
        count, mean, m2, low, high, first, last = summary
        variance = m2 / (count - ddof) if count > ddof else nan
        indices = frozen(anomaly_indices)
        std = sqrt(variance)
        return cls._make((count, mean, variance, std, low, high, first, last, buckets, indices))

    @property
    def downsampled(self) -> Mapping[str, Column]:
        """The columns of the first factor, by function."""
        return next(iter(self.buckets.values()))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (type(self), *_plain(self))


class Drained(NamedTuple):
    """Completed buckets that the aggregator has forgotten since.

    Parameters
    ----------
    buckets : for each factor, for each function, a column with a value a bucket.
    anomaly_indices : what was found since the last drain (online mode).
    """

    buckets: BucketColumns
    anomaly_indices: IntegerColumn

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (type(self), *_plain(self))


def completed_columns(all_buckets: Iterable[Buckets]) -> BucketColumns:
    """The completed buckets, which are then forgotten."""
    return MappingProxyType({one.factor: _columns(one, one.drain()) for one in all_buckets})


def all_columns(all_buckets: Iterable[Buckets], *, give_away: bool = False) -> BucketColumns:
    """The completed buckets and, where it holds a value, the filling one as the last.

    They are copies, unless they are given away.
    """
    by_factor = {}
    for one in all_buckets:
        columns = one.drain() if give_away else one.completed()
        if one.n_filling:
            for column, value in zip(columns, one.current(), strict=True):
                column.append(value)
        by_factor[one.factor] = _columns(one, columns)
    return MappingProxyType(by_factor)


def _columns(buckets: Buckets, columns: Iterable[array[float]]) -> Mapping[str, Column]:
    return MappingProxyType(dict(zip(buckets.functions, map(frozen, columns))))  # noqa: B905


def _plain(record: WindowSummary | Drained) -> list[Any]:
    """The fields of a record with arrays in place of views, which cannot be pickled."""
    *numbers, buckets, anomaly_indices = record
    arrays = {
        factor: {name: array("d", column) for name, column in columns.items()}
        for factor, columns in buckets.items()
    }
    return [*numbers, arrays, array("q", anomaly_indices)]


def _revived(kind: Callable[..., _Record], *plain: Any) -> _Record:
    *numbers, arrays, anomaly_indices = plain
    buckets = {
        factor: MappingProxyType({name: frozen(column) for name, column in columns.items()})
        for factor, columns in arrays.items()
    }
    return kind(*numbers, MappingProxyType(buckets), frozen(anomaly_indices))
