"""Batches of samples as JSON; an error names the place, such as ``series[1].times[3]``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import numpy as np

from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import InvalidInputError
from aetherops.instants import parse_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["batch_from_json", "uuid_from_json"]

_INT64 = np.iinfo(np.int64)
_SERIES_KEYS = frozenset({"stream", "unit", "kind", "times", "values"})
_TIME_EXPECTED = "ISO 8601 text with an offset, or integer microseconds since 1970"


def batch_from_json(document: object) -> SampleBatch:
    """The batch that parsed JSON means.

    Either one series, ``{"stream", "unit"?, "kind"?, "times", "values"}``, or several,
    ``{"series": [ … ]}``; both with an optional ``"batch"``, the UUID under which it is
    stored once. Without it the batch gets a new one.

    Raises
    ------
    InvalidInputError
        Something is missing, unknown, or no time or number.
    LimitExceededError
        There are more samples than one batch may hold.
    """
    content = dict(_object(document, "body"))
    batch_id = uuid_from_json(content.pop("batch"), "batch") if "batch" in content else uuid4()
    if "series" not in content:
        return SampleBatch(batch_id, (_series(content),))
    items = _list(content.pop("series"), "series")
    _refuse_unknown(content, frozenset({"batch", "series"}))
    series = []
    for i, item in enumerate(items):
        with _within(f"series[{i}]"):
            series.append(_series(_object(item, "")))
    return SampleBatch(batch_id, tuple(series))


def uuid_from_json(value: object, field: str) -> UUID:
    """A UUID from its usual text."""
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise InvalidInputError(field, value, "a UUID") from None


def _series(content: dict[str, object]) -> Series:
    _refuse_unknown(content, _SERIES_KEYS)
    name = StreamName.parse(_text(content, "stream"), "stream")
    stream = Stream(name, _text(content, "unit", ""), _text(content, "kind", "gauge"))
    times = _times(_list(content.get("times"), "times"))
    values = _values(_list(content.get("values"), "values"))
    if len(times) != len(values):
        expected = f"{len(times)} values, one a time"
        raise InvalidInputError("values", f"{len(values)} of them", expected)
    try:
        return Series(stream, Samples(times, values))
    except InvalidInputError as error:
        # The series says whose column it is; a sender knows it by its place.
        field = error.field.removeprefix(f"{name} ")
        raise InvalidInputError(field, error.value, error.expected) from error


def _times(items: list[object]) -> NDArray[np.int64]:
    instants = [_instant(item, i) for i, item in enumerate(items)]
    return np.array(instants, dtype=np.int64)


def _instant(item: object, index: int) -> int:
    if isinstance(item, str):
        return parse_us(item, f"times[{index}]")
    if type(item) is int and _INT64.min <= item <= _INT64.max:
        return item
    raise InvalidInputError(f"times[{index}]", item, _TIME_EXPECTED)


def _values(items: list[object]) -> NDArray[np.float64]:
    # By exact type, since JSON's true is a Python int too. JSON has no NaN and no infinity.
    if not set(map(type, items)) <= {int, float}:
        at = next(i for i, item in enumerate(items) if type(item) not in (int, float))
        raise InvalidInputError(f"values[{at}]", items[at], "a finite number")
    return np.array(items, dtype=np.float64)


def _object(value: object, field: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise InvalidInputError(field, value, "an object with stream, times and values")
    return value


def _list(value: object, field: str) -> list[object]:
    if not isinstance(value, list):
        raise InvalidInputError(field, value, "a list")
    return value


def _text(content: dict[str, object], key: str, default: str | None = None) -> str:
    value = content.get(key, default)
    if not isinstance(value, str):
        raise InvalidInputError(key, value, "text")
    return value


def _refuse_unknown(content: dict[str, object], known: frozenset[str]) -> None:
    for key in content:
        if key not in known:
            raise InvalidInputError(
                key, content[key], f"one of the keys {', '.join(sorted(known))}"
            )


@contextmanager
def _within(place: str) -> Iterator[None]:
    """Name errors inside by where they stand in the whole."""
    try:
        yield
    except InvalidInputError as error:
        field = f"{place}.{error.field}" if error.field else place
        raise InvalidInputError(field, error.value, error.expected) from error
