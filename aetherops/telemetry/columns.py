"""Columns of numbers: contiguous, typed, and read-only when they are handed out."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable
from typing import TypeAlias

from aetherops.errors import InvalidInputError

__all__ = ["Column", "IntegerColumn", "float64_column", "frozen", "int64_column"]

#: A read-only memoryview of float64: indexable, iterable, ``.tolist()``, ``numpy.asarray``.
Column: TypeAlias = "memoryview[float]"
#: The same of int64.
IntegerColumn: TypeAlias = "memoryview[int]"

_ORDER = "<" if sys.byteorder == "little" else ">"
_FLOAT64 = ("d", "@d", "=d", f"{_ORDER}d")
_INT64 = ("q", "l", "@q", "@l", "=q", f"{_ORDER}q")


def float64_column(values: Iterable[float], field: str = "values") -> memoryview[float]:
    """A contiguous view of a buffer of float64, or of a copy of anything else iterable."""
    return _column(values, "d", _FLOAT64, field)


def int64_column(values: Iterable[int], field: str = "times_us") -> memoryview[int]:
    """A contiguous view of a buffer of int64, or of a copy of anything else iterable."""
    return _column(values, "q", _INT64, field)


def frozen(column: array[float]) -> memoryview[float]:
    """A read-only view; the array must not be kept elsewhere."""
    return memoryview(column).toreadonly()  # type: ignore[return-value]


def _column(values, typecode, formats, field):  # type: ignore[no-untyped-def]
    try:
        view = memoryview(values)
    except (TypeError, BufferError, ValueError):
        return memoryview(array(typecode, values))
    if view.format not in formats or view.itemsize != 8:
        return memoryview(array(typecode, values))
    if view.ndim != 1:
        raise InvalidInputError(field, f"{view.ndim} dimensions", "one dimension")
    if view.contiguous:
        return view if view.format == typecode else view.cast("B").cast(typecode)
    return memoryview(view.tobytes()).cast(typecode)
