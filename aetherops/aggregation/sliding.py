"""A window that slides over a stream."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any, NamedTuple, Self

from aetherops import core
from aetherops.aggregation.columns import (
    Column,
    IntegerColumn,
    frozen,
    int64_column,
)
from aetherops.aggregation.drift import MIN_COUNT, MIN_STD
from aetherops.aggregation.moments import Moments

__all__ = ["RollingColumns", "SlidingWindow", "rolling"]


class RollingColumns(NamedTuple):
    """What a window held after each value, in columns of equal length."""

    count: IntegerColumn  # type: ignore[assignment]  # of values, not of equal fields
    mean: Column
    m2: Column
    min: Column
    max: Column


class SlidingWindow(core.SlidingMoments):
    """Moments and anomalies of the last ``size`` values, or of those younger than ``duration_us``.

    A step costs the merging of two values, whatever the size. Nothing is ever subtracted, so an
    outlier leaves no trace when it has left: the mean is that of a fresh aggregation to a unit in
    the last place, the variance to a relative error of ``n * 2**-53`` for n values
    (docs/numerics.md).

    Parameters
    ----------
    size : values in a full window.
    duration_us : a value leaves when another comes, or `expire` is called, so much later than it;
        times must then be given to ``push`` and must not run backwards.

    Raises
    ------
    InvalidInputError
        Neither a size nor a duration is given, or both.
    """

    __slots__ = ()

    def push_many(self, values: Iterable[float], times_us: Iterable[int] | None = None) -> None:
        """Take values one after the other, with a time for each where the window is one of time.

        Raises
        ------
        InvalidInputError
            A value has no time, or one before that of the value before.
        """
        super().push_many(values, None if times_us is None else int64_column(times_us))

    def moments(self) -> Moments:
        """The moments of the window."""
        return Moments.from_summary(*self.summary())

    def anomalies(self, threshold: float = 2.0) -> list[int]:
        """Positions in the window, 0 the oldest, of values beyond ``threshold`` deviations."""
        if self.count < MIN_COUNT:
            return []
        moments = self.moments()
        std = moments.std() or MIN_STD
        return core.find_anomalies(self.values(), moments.mean, std, threshold).tolist()

    def copy(self) -> Self:
        """An independent window in the same state, made as the class itself is.

        A subclass that takes other arguments, or has attributes of its own, copies, pickles and
        reads them back itself.
        """
        copied = type(self)(size=self.size, duration_us=self.duration_us)
        core.restore_sliding(copied, core.sliding_state(self))
        return copied

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: object) -> Self:
        return self.copy()

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (type(self), self.size, self.duration_us, *core.sliding_state(self))

    def __repr__(self) -> str:
        limit = f"size={self.size:,}" if self.size else f"duration_us={self.duration_us:,}"
        return f"SlidingWindow({limit}): {self.count:,} values"


def rolling(values: Iterable[float], size: int) -> RollingColumns:
    """Moments of the last ``size`` values after each value: count, mean, m2, min, max.

    The variance is ``m2 / (count - 1)``. Shorter windows stand at the start.
    """
    count, *numbers = core.rolling_columns(values, size)
    return RollingColumns(frozen(count), *map(frozen, numbers))


def _restored(
    kind: type[SlidingWindow],
    size: int,
    duration_us: int,
    values: array[float],
    times_us: array[int],
    older: int,
) -> SlidingWindow:
    window = kind(size=size, duration_us=duration_us)
    core.restore_sliding(window, (values, times_us, older))
    return window
