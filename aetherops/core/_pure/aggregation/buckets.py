# Twin: ext/aetherops/core/_native/aggregation/buckets.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Runs of a fixed number of consecutive values, each reduced to one value a function.

The mean is the left-to-right sum divided by the count, the median the middle value or half the sum
of the middle two. Results are rounded as Python's ``round`` rounds.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from math import isinf, nan
from typing import NamedTuple, TypeAlias

from aetherops.core._pure.aggregation.floats import as_double, float_chunks
from aetherops.core.aggregation_input import (
    check_nan_policy,
    checked_decimals,
    checked_functions,
    checked_int,
    checked_state,
    nan_refused,
)
from aetherops.errors import InvalidInputError

__all__ = ["Buckets", "BucketsState", "median_of"]

#: The running numbers of the filling bucket, its values, the completed columns.
BucketsState: TypeAlias = tuple[
    tuple[int, int, float, float, float, float], "array[float]", "tuple[array[float], ...]"
]


class Filling(NamedTuple):
    n: int  # values taken
    n_numbers: int  # of them, those that are not NaN; the rest is about these
    sum: float
    min: float
    max: float
    last: float


_EMPTY = Filling(0, 0, 0.0, nan, nan, nan)


def median_of(x: Sequence[float]) -> float:
    """Median of one or more values without NaN."""
    ordered = sorted(x)
    high = ordered[len(ordered) // 2]
    if len(ordered) % 2:
        return high + 0.0  # +0.0: the sign of a zero would depend on the order of the search
    return halfway(ordered[len(ordered) // 2 - 1], high) + 0.0


def halfway(low: float, high: float) -> float:
    """Half the sum of two values, rounded once; finite where both are."""
    total = low + high
    # A sum that overflows has a large value in it: halving either loses nothing that counts.
    return low / 2.0 + high / 2.0 if isinf(total) else total / 2.0


class Buckets:
    """Completed buckets of a stream, and the one that is filling."""

    def __init__(
        self,
        factor: int,
        functions: str | Iterable[str] = ("mean",),
        *,
        decimals: int | None = None,
        nan_policy: str = "propagate",
    ) -> None:
        self._factor = checked_int("factor", factor, 1)
        self._policy = check_nan_policy(nan_policy)
        self._functions = checked_functions(functions)
        self._decimals = checked_decimals(decimals)
        self._omits_nan = nan_policy == "omit"
        self._with_median = "median" in self._functions
        self.reset()

    def reset(self) -> None:
        """Forget every value."""
        self._filling = _EMPTY
        self._held = array("d")
        self._columns = tuple(array("d") for _ in self._functions)

    def push_many(self, values: Iterable[float]) -> None:
        """Take values from an iterable or a buffer of float64."""
        start = 0
        for chunk in float_chunks(values):
            self._feed(chunk, start)
            start += len(chunk)

    def _feed(self, x: list[float], start: int) -> None:
        """Take values, the first of which is values[start] of the caller's."""
        if self._policy == "raise":
            for i, v in enumerate(x):
                if v != v:
                    self._take(x[:i])
                    raise nan_refused(f"values[{start + i}]")
        self._take(x)

    def _take(self, x: list[float]) -> None:
        self._even_out()
        start = 0
        if self._filling.n:
            start = min(self._factor - self._filling.n, len(x))
            self._fill(x[:start])
        end = len(x) - (len(x) - start) % self._factor
        if self._functions == ("mean",):
            self._reduce_means(x, start, end)
        else:
            for first in range(start, end, self._factor):
                self._reduce(x[first : first + self._factor])
        if len(x) > end:
            self._fill(x[end:])

    def _even_out(self) -> None:
        """Take back what a call that was cut short by a signal handler has left of a bucket."""
        shortest = min(map(len, self._columns))
        for column in self._columns:
            del column[shortest:]
        del self._held[self._filling.n :]

    def _fill(self, x: list[float]) -> None:
        """Take at most what the filling bucket lacks."""
        if self._with_median:
            self._held.extend(x)
        filling = self._absorb(self._filling, x)
        if filling.n < self._factor:
            self._filling = filling
            return
        held = self._held
        self._filling, self._held = _EMPTY, array("d")  # both or neither
        self._complete(filling, held)

    def _reduce(self, x: list[float]) -> None:
        """Reduce a whole bucket where it lies."""
        self._complete(self._absorb(_EMPTY, x), x)

    def _reduce_means(self, x: list[float], start: int, end: int) -> None:
        """Reduce whole buckets from x[start] to x[end] where nothing but means is asked for."""
        factor, decimals, column = self._factor, self._decimals, self._columns[0]
        sums = []
        for first in range(start, end, factor):
            total = 0.0
            for v in x[first : first + factor]:
                total += v
            sums.append(total)
        count = float(factor)
        if any(total != total for total in sums):
            for first in range(start, end, factor):
                self._reduce(x[first : first + factor])
        elif decimals is None:
            column.extend([total / count for total in sums])
        else:
            column.extend([round(total / count, decimals) for total in sums])

    def _absorb(self, filling: Filling, x: list[float]) -> Filling:
        n, n_numbers, total, low, high, last = filling
        for v in x:
            if v == v or not self._omits_nan:
                last = v
            if v != v:
                continue
            n_numbers += 1
            total += v
            if not v >= low:
                low = v + 0.0  # the sign of a zero would depend on the cut
            if not v <= high:
                high = v + 0.0
        return Filling(n + len(x), n_numbers, total, low, high, last)

    def _complete(self, filling: Filling, values: Sequence[float]) -> None:
        for column, function in zip(self._columns, self._functions, strict=True):
            column.append(self._reduced(function, filling, values))

    def _reduced(self, function: str, filling: Filling, values: Sequence[float]) -> float:
        """One function of a bucket that may hold NaN."""
        spoilt = filling.n_numbers < filling.n and not self._omits_nan
        if function == "last":
            value = filling.last
        elif spoilt or not filling.n_numbers:
            return nan
        elif function == "mean":
            value = filling.sum / float(filling.n_numbers)
            if value != value:
                return nan
        elif function == "min":
            value = filling.min + 0.0
        elif function == "max":
            value = filling.max + 0.0
        else:
            numbers = [v for v in values if v == v]
            if not numbers:  # a restored bucket may say otherwise
                return nan
            value = median_of(numbers)
        return self._rounded(value)

    def _rounded(self, value: float) -> float:
        return value if self._decimals is None else round(value, self._decimals)

    @property
    def factor(self) -> int:
        """Values a bucket."""
        return self._factor

    @property
    def functions(self) -> tuple[str, ...]:
        """What each bucket is reduced to."""
        return self._functions

    @property
    def decimals(self) -> int | None:
        """To how many decimals results are rounded; ``None`` leaves them alone."""
        return self._decimals

    @property
    def nan_policy(self) -> str:
        """What a NaN does: ``propagate``, ``omit`` or ``raise``."""
        return self._policy

    @property
    def n_filling(self) -> int:
        """How many values the filling bucket holds."""
        return self._filling.n

    def completed(self) -> tuple[array[float], ...]:
        """A column a function, of the completed buckets."""
        self._even_out()
        return tuple(column[:] for column in self._columns)

    def current(self) -> tuple[float, ...]:
        """The filling bucket, one number a function; NaN where it is empty."""
        self._even_out()
        return tuple(
            self._reduced(function, self._filling, self._held) for function in self._functions
        )

    def merge(self, other: Buckets) -> None:
        """Take another's buckets, as if they had come after; the filling one is closed as it is."""
        known = isinstance(other, Buckets)
        if not known or self._shape() != other._shape():
            raise InvalidInputError("other", other, "buckets of the same factor and functions")
        filling, held, columns = other.state()
        self._even_out()
        if self._filling.n:
            self._complete(self._filling, self._held)
        completed = self.drain()
        for column, more in zip(completed, columns, strict=True):
            column.extend(more)
        self.restore((filling, held, completed))

    def _shape(self) -> tuple[object, ...]:
        return self._factor, self._functions, self._decimals, self._policy

    def drain(self) -> tuple[array[float], ...]:
        """The columns of the completed buckets, which are then forgotten."""
        self._even_out()
        drained = self._columns
        self._columns = tuple(array("d") for _ in self._functions)
        return drained

    def state(self) -> BucketsState:
        """The running numbers of the filling bucket, its values, the completed columns."""
        completed = self.completed()
        return tuple(self._filling), self._held[:], completed  # type: ignore[return-value]

    def restore(self, state: BucketsState) -> None:
        """Become what ``state`` told.

        Raises
        ------
        InvalidInputError
            The parts do not fit this factor and these functions, or each other.
        """
        filling, values, completed = checked_state(state, 3)
        n, n_numbers, *numbers = checked_state(filling, 6)
        total, low, high, last = map(as_double, numbers)
        n = checked_int("filling", n, 0, self._factor - 1)
        n_numbers = checked_int("filling", n_numbers, 0, n)
        held = array("d", values)
        if len(held) != (n if self._with_median else 0):
            raise InvalidInputError("held", len(held), "the values of the filling bucket")
        columns = tuple(array("d", column) for column in completed)
        if len(columns) != len(self._functions) or len({len(one) for one in columns}) != 1:
            raise InvalidInputError("columns", len(columns), "a column a function, equally long")
        self._columns, self._held = columns, held
        self._filling = Filling(n, n_numbers, total, low, high, last)
