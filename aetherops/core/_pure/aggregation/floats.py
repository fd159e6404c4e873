# Twin: ext/aetherops/core/_native/aggregation/floats.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Sources of numbers: anything iterable as chunks of doubles, and whole columns."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from math import ldexp
from typing import Any

from aetherops.core.aggregation_input import (
    FLOAT64_FORMATS,
    INT64_FORMATS,
    column_refused,
    recast,
)
from aetherops.errors import InvalidInputError

__all__ = ["as_double", "float64_column", "float_chunks", "int64_column"]

_CHUNK = 2048


def as_double(value: float) -> float:
    """The value as a float; text is refused, unlike by ``float``."""
    return value if type(value) is float else ldexp(value, 0)


def float64_column(values: object, field: str) -> memoryview[float]:
    """A contiguous buffer of float64; copied where ``memoryview`` cannot read its format."""
    return _column(values, field, "float64", "d", FLOAT64_FORMATS)


def int64_column(values: object, field: str) -> memoryview[int]:
    """A contiguous buffer of int64; copied where ``memoryview`` cannot read its format."""
    return _column(values, field, "int64", "q", INT64_FORMATS)


def _column(
    values: object, field: str, kind: str, typecode: Any, formats: tuple[str, ...]
) -> memoryview[Any]:
    view = _view(values)
    if view is None or not _holds_numbers(view, formats) or view.ndim != 1:
        raise column_refused(field, values, kind)
    if not view.contiguous and len(view):
        raise column_refused(field, values, kind)
    return recast(view, typecode)


def float_chunks(values: Iterable[float]) -> Iterator[list[float]]:
    """The values as floats, in lists of at most 2,048: quicker to walk over than arrays.

    Values before a bad one are handed out before its error is raised, so that reading in chunks
    does the same as reading one by one.
    """
    if isinstance(values, list | tuple):
        for start in range(0, len(values), _CHUNK):
            part = values[start : start + _CHUNK]
            if set(map(type, part)) == {float}:
                yield list(part)
                continue
            try:
                chunk = array("d", part).tolist()
            except (TypeError, ValueError, OverflowError):
                yield from _chunks_of_iterator(iter(part))
                raise
            yield chunk
        return
    view = _float64_view(values)
    if view is None:
        yield from _chunks_of_iterator(iter(values))
        return
    for start in range(0, len(view), _CHUNK):
        yield array("d", view[start : start + _CHUNK].tobytes()).tolist()


def _chunks_of_iterator(iterator: Iterator[float]) -> Iterator[list[float]]:
    while True:
        chunk = array("d")
        try:
            chunk.extend(islice(iterator, _CHUNK))
        except BaseException:
            if chunk:
                yield chunk.tolist()
            raise
        if not chunk:
            return
        yield chunk.tolist()


def _float64_view(values: object) -> memoryview | None:
    view = _view(values)
    if view is None or not _holds_numbers(view, FLOAT64_FORMATS):
        return None
    if view.ndim != 1:
        raise InvalidInputError("values", f"{view.ndim} dimensions", "one dimension")
    return view


def _holds_numbers(view: memoryview[Any], formats: tuple[str, ...]) -> bool:
    """Whether a buffer is of 8-byte numbers in one of these formats."""
    return view.format in formats and view.itemsize == 8


def _view(values: object) -> memoryview | None:
    try:
        return memoryview(values)  # type: ignore[arg-type]
    except (TypeError, BufferError, ValueError):
        return None
