"""What an aggregator answers: the summary of a window, and buckets drained from it."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Any, TypeAlias

from aetherops.telemetry.columns import Column, IntegerColumn, frozen

__all__ = ["BucketColumns", "Drained", "WindowSummary", "frozen_buckets"]

#: For each factor, for each function, one value a bucket.
BucketColumns: TypeAlias = Mapping[int, Mapping[str, Column]]


def frozen_buckets(arrays: Mapping[int, Mapping[str, array[float]]]) -> BucketColumns:
    """The columns made read-only, with the mappings that hold them."""
    return MappingProxyType(
        {
            factor: MappingProxyType({name: frozen(column) for name, column in columns.items()})
            for factor, columns in arrays.items()
        }
    )


@dataclass(frozen=True, slots=True)
class WindowSummary:
    """A window of values, as it stood when it was asked for. Columns are read-only memoryviews.

    Parameters
    ----------
    count : values in it; with ``nan_policy="omit"`` without the NaN.
    mean, variance, std, min, max, first, last : of the values; NaN where there are too few.
    buckets : for each factor, for each function, a column with a value a bucket.
    anomaly_indices : positions of the anomalous values, counted from the first value pushed.
    """

    count: int
    mean: float
    variance: float
    std: float
    min: float
    max: float
    first: float
    last: float
    buckets: BucketColumns
    anomaly_indices: IntegerColumn

    @property
    def downsampled(self) -> Mapping[str, Column]:
        """The columns of the first factor, by function."""
        return next(iter(self.buckets.values()))

    def __reduce__(self) -> tuple[Any, ...]:
        return _revived, (type(self), *_plain(self))


@dataclass(frozen=True, slots=True)
class Drained:
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


def _plain(record: WindowSummary | Drained) -> list[Any]:
    """The fields of a record with arrays in place of views, which cannot be pickled."""
    *numbers, buckets, anomaly_indices = (getattr(record, field.name) for field in fields(record))
    arrays = {
        factor: {name: array("d", column) for name, column in columns.items()}
        for factor, columns in buckets.items()
    }
    return [*numbers, arrays, array("q", anomaly_indices)]


def _revived(
    kind: type[WindowSummary] | type[Drained], *plain: Any
) -> WindowSummary | Drained:
    *numbers, arrays, anomaly_indices = plain
    return kind(*numbers, frozen_buckets(arrays), frozen(anomaly_indices))
