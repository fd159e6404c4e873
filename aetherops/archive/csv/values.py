"""Values written as text: numbers, with a decimal point or comma, and texts that mean none.

`ValueFormat.read` is the definition; `ValueFormat.read_column` gives the same answers for
columns in which every field is regular, and declines all others.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.csv.reasons import Reason, RowError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["ValueFormat", "loose_number_in", "number_in", "without_decimal_comma"]

_COMMA_NUMBER = re.compile(r"[+-]?\d*,\d+([eE][+-]?\d+)?", re.ASCII)


def number_in(text: str) -> float | None:
    """The number that text is, as `float` reads it, or ``None``; ASCII without underscores."""
    if "_" in text or not text.isascii():
        return None
    try:
        return float(text)
    except ValueError:
        return None


def without_decimal_comma(text: str) -> str | None:
    """A number with a decimal comma as one with a point; ``None`` if it has a point already."""
    return None if "." in text else text.replace(",", ".")


def loose_number_in(text: str) -> float | None:
    """The number that text is, with a decimal point or, unless that is absent, a comma."""
    if _COMMA_NUMBER.fullmatch(text):
        return number_in(text.replace(",", "."))
    return number_in(text)


@dataclass(frozen=True, slots=True)
class ValueFormat:
    """How the values of a file are written.

    Parameters
    ----------
    decimal_comma : ``1,5`` is one and a half, and a point is no part of a number.
    missing : what stands for no value, as text; a number means all ways to write it.
    """

    decimal_comma: bool = False
    missing: frozenset[str] = frozenset()
    _none: frozenset[float] = field(init=False, repr=False, compare=False)
    _nan_is_none: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        numbers = [n for n in map(loose_number_in, self.missing) if n is not None]
        object.__setattr__(self, "_none", frozenset(n for n in numbers if n == n))
        object.__setattr__(self, "_nan_is_none", any(n != n for n in numbers))

    def number(self, text: str) -> float | None:
        """The number that text is in this format, or ``None``."""
        if not self.decimal_comma:
            return number_in(text)
        with_point = without_decimal_comma(text)
        return None if with_point is None else number_in(with_point)

    def read(self, text: str) -> float | None:
        """The value that text is; ``None`` where it stands for no value.

        Raises
        ------
        RowError
            The text is empty, no number, or not a finite one.
        """
        value = self.number(text) if self.decimal_comma else number_in(text)
        if value is None or self.missing or not math.isfinite(value):
            return self._read_odd(text, value)
        return value

    def _read_odd(self, text: str, value: float | None) -> float | None:
        if text in self.missing or value in self._none:
            return None
        if not text:
            raise RowError(Reason.EMPTY_VALUE, "no value")
        if value is None:
            comma = " with a decimal comma" if self.decimal_comma else ""
            raise RowError(Reason.VALUE, f"value {text!r}, expected a number{comma}")
        if math.isfinite(value):
            return value
        if self._nan_is_none and math.isnan(value):
            return None
        raise RowError(Reason.NON_FINITE, f"value {text!r}, expected a finite number")

    def read_column(
        self, fields: Sequence[str]
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_] | None] | None:
        """Values, and which of them stand for none, or ``None`` where `read` has to look.

        Parameters
        ----------
        fields : ASCII text. The second part of the answer is ``None`` where all are values.
        """
        joined = "\n".join(fields)
        if "_" in joined:  # `float` takes 1_000, a number in Python only
            return None
        if self.decimal_comma:
            with_points = without_decimal_comma(joined)
            if with_points is None:
                return None
            fields = with_points.split("\n")
        try:
            values = np.fromiter(map(float, fields), np.float64, len(fields))
        except ValueError:
            return None
        none = self._means_none(values)
        finite = np.isfinite(values)
        if not (finite if none is None else finite | none).all():
            return None
        return values, none

    def _means_none(self, values: NDArray[np.float64]) -> NDArray[np.bool_] | None:
        """Which values stand for none; ``None`` where all of them are values."""
        if not self._none and not self._nan_is_none:
            return None
        none = np.isin(values, list(self._none))
        if self._nan_is_none:
            none |= np.isnan(values)
        return none if none.any() else None
