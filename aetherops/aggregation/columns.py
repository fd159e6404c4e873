"""Columns of numbers: contiguous, typed, and read-only when they are handed out."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Any, TypeAlias, overload

from aetherops.core.aggregation_input import FLOAT64_FORMATS, INT64_FORMATS, recast
from aetherops.errors import InvalidInputError

__all__ = ["Column", "IntegerColumn", "float64_column", "frozen", "int64_column"]

#: A read-only memoryview of float64: indexable, iterable, ``.tolist()``, ``numpy.asarray``.
Column: TypeAlias = "memoryview[float]"
#: The same of int64.
IntegerColumn: TypeAlias = "memoryview[int]"


def float64_column(values: Iterable[float], field: str = "values") -> memoryview[float]:
    """A contiguous view of a buffer of float64, or of a copy of anything else iterable."""
    view = _contiguous_view(values, "d", FLOAT64_FORMATS, field)
    return _view(array("d", values)) if view is None else view


def int64_column(values: Iterable[int], field: str = "times_us") -> memoryview[int]:
    """A contiguous view of a buffer of int64, or of a copy of anything else iterable."""
    view = _contiguous_view(values, "q", INT64_FORMATS, field)
    return _view(array("q", values)) if view is None else view


@overload
def frozen(column: array[int]) -> IntegerColumn: ...
@overload
def frozen(column: array[float]) -> Column: ...
def frozen(column: Any) -> Any:
    """A read-only view; the array must not be kept elsewhere."""
    return memoryview(column).toreadonly()


def _view(column: array[Any]) -> memoryview[Any]:
    return memoryview(column)


def _contiguous_view(
    values: object, typecode: Any, formats: tuple[str, ...], field: str
) -> memoryview[Any] | None:
    try:
        view: memoryview[Any] = memoryview(values)  # type: ignore[arg-type]
    except (TypeError, BufferError, ValueError):
        return None
    if view.format == typecode and view.ndim == 1 and view.contiguous:
        return view
    if view.format not in formats or view.itemsize != 8:
        return None
    if view.ndim != 1:
        raise InvalidInputError(field, f"{view.ndim} dimensions", "one dimension")
    if not view.contiguous:
        return memoryview(array(typecode, view.tobytes()))
    return recast(view, typecode)
