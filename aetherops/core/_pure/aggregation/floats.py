# Twin: ext/aetherops/core/_native/aggregation/floats.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Any source of floats as strips of doubles: buffers, lists, iterators."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from math import ldexp

from aetherops.errors import InvalidInputError

__all__ = ["NAN_POLICIES", "as_double", "check_nan_policy", "float_strips", "nan_refused"]

NAN_POLICIES = ("propagate", "omit", "raise")

_STRIP = 2048
_FLOAT64_FORMATS = ("d", "@d", "=d", "<d" if sys.byteorder == "little" else ">d")


def check_nan_policy(policy: str) -> str:
    if policy not in NAN_POLICIES:
        raise InvalidInputError("nan_policy", policy, "'propagate', 'omit' or 'raise'")
    return policy


def nan_refused(field: str) -> InvalidInputError:
    return InvalidInputError(field, float("nan"), "a number (nan_policy is 'raise')")


def as_double(value: float) -> float:
    """The value as a float; text is refused, unlike by ``float``."""
    return value if type(value) is float else ldexp(value, 0)


def float_strips(values: Iterable[float]) -> Iterator[list[float]]:
    """The values as floats, in lists of at most 2,048: quicker to walk over than arrays.

    Values before a bad one are handed out before its error is raised, so that reading in strips
    does the same as reading one by one.
    """
    if isinstance(values, list | tuple):
        for start in range(0, len(values), _STRIP):
            part = values[start : start + _STRIP]
            if set(map(type, part)) == {float}:
                yield list(part)
                continue
            try:
                strip = array("d", part).tolist()
            except (TypeError, ValueError, OverflowError):
                yield from _strips_of_iterator(iter(part))
                raise
            yield strip
        return
    view = _float64_view(values)
    if view is None:
        yield from _strips_of_iterator(iter(values))
        return
    for start in range(0, len(view), _STRIP):
        yield array("d", view[start : start + _STRIP].tobytes()).tolist()


def _strips_of_iterator(iterator: Iterator[float]) -> Iterator[list[float]]:
    while True:
        strip = array("d")
        try:
            strip.extend(islice(iterator, _STRIP))
        except BaseException:
            if strip:
                yield strip.tolist()
            raise
        if not strip:
            return
        yield strip.tolist()


def _float64_view(values: object) -> memoryview | None:
    try:
        view = memoryview(values)  # type: ignore[arg-type]
    except (TypeError, BufferError, ValueError):
        return None
    if view.format not in _FLOAT64_FORMATS:
        return None
    if view.ndim != 1:
        raise InvalidInputError("values", f"{view.ndim} dimensions", "one dimension")
    return view
