"""Batches of samples as JSON; an error names the place, such as ``series[1].times[3]``."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from aetherops.api.http.bodies import parse_json
from aetherops.api.telemetry.utc_texts import utc_texts_us
from aetherops.archive.columns import BatchColumns
from aetherops.archive.decoding import split_message
from aetherops.archive.samples import SampleBatch, Samples, Series, within
from aetherops.archive.stream import Stream, StreamName, known_stream
from aetherops.errors import InvalidInputError
from aetherops.instants import parse_us

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decode_json_batch", "uuid_from_json"]

_INT64 = np.iinfo(np.int64)
_TIME_EXPECTED = "ISO 8601 text with an offset, or integer microseconds since 1970"


class _JsonSeries(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    stream: str
    times: list[int | str]
    values: list[float]
    unit: str = ""
    kind: str = ""


class _JsonBatch(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """Either `series`, or the fields of a single one."""

    batch: str | UnsetType = UNSET
    series: list[_JsonSeries] | UnsetType = UNSET
    stream: str | UnsetType = UNSET
    times: list[int | str] | UnsetType = UNSET
    values: list[float] | UnsetType = UNSET
    unit: str | UnsetType = UNSET
    kind: str | UnsetType = UNSET


_decoder = msgspec.json.Decoder(_JsonBatch)

_EXPECTED = {
    "batch": "a UUID",
    "series": "a list of objects with stream, times and values",
    "times": "a list of times",
    "values": "a list of numbers",
}
_ITEM_EXPECTED = {
    "series": "an object with stream, times and values",
    "times": _TIME_EXPECTED,
    "values": "a finite number",
}


def decode_json_batch(body: bytes) -> SampleBatch:
    """The batch that JSON text means.

    Either one series, ``{"stream", "unit"?, "kind"?, "times", "values"}``, or several,
    ``{"series": [ … ]}``; both with an optional ``"batch"``, the UUID under which it is
    stored once. Without it the batch gets a new one.

    Raises
    ------
    InvalidInputError
        It is no JSON; something is missing, unknown, or no time or number.
    LimitExceededError
        There are more samples than one batch may hold.
    """
    try:
        content = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _refusal(body, str(error)) from error
    batch_id = uuid4() if content.batch is UNSET else uuid_from_json(content.batch, "batch")
    if content.series is UNSET:
        return SampleBatch(batch_id, (_series(_single(content)),))
    for name in _JsonSeries.__struct_fields__:
        if getattr(content, name) is not UNSET:
            expected = "either series, or the fields of a single one"
            raise InvalidInputError(name, getattr(content, name), expected)
    return _together(batch_id, content.series) or _one_by_one(batch_id, content.series)


def uuid_from_json(value: object, field: str) -> UUID:
    """A UUID from its usual text."""
    try:
        return UUID(value if isinstance(value, str) else "")
    except ValueError:
        raise InvalidInputError(field, value, "a UUID") from None


def _single(content: _JsonBatch) -> _JsonSeries:
    given = {
        name: value
        for name in _JsonSeries.__struct_fields__
        if (value := getattr(content, name)) is not UNSET
    }
    for name in ("stream", "times", "values"):
        if name not in given:
            raise InvalidInputError(name, None, _EXPECTED.get(name, "text"))
    return _JsonSeries(**given)


def _together(batch_id: UUID, series: list[_JsonSeries]) -> SampleBatch | None:
    """The batch, all its series read at once; None where anything in it is not as it should be."""
    counts = [len(one.times) for one in series]
    if counts != [len(one.values) for one in series]:
        return None
    try:
        streams = [known_stream(one.stream, one.unit, one.kind) for one in series]
        times = _times(list(chain.from_iterable([one.times for one in series])))
    except InvalidInputError:
        return None
    values = np.fromiter(
        chain.from_iterable([one.values for one in series]), np.float64, len(times)
    )
    return SampleBatch.of_columns(batch_id, BatchColumns.of(streams, counts, times, values))


def _one_by_one(batch_id: UUID, series: list[_JsonSeries]) -> SampleBatch:
    """The batch, each of its series read alone, so that an error names the place."""
    read = []
    for i, one in enumerate(series):
        with within(f"series[{i}]"):
            read.append(_series(one))
    return SampleBatch(batch_id, tuple(read))


def _series(content: _JsonSeries) -> Series:
    stream = Stream(StreamName.parse(content.stream, "stream"), content.unit, content.kind)
    times, values = _times(content.times), np.array(content.values, np.float64)
    if len(times) != len(values):
        expected = f"{len(times)} values, one a time"
        raise InvalidInputError("values", f"{len(values)} of them", expected)
    return Series(stream, Samples(times, values))


def _times(items: list[int | str]) -> NDArray[np.int64]:
    # Only integers go whole: of texts NumPy would make numbers too.
    types = set(map(type, items))
    if types == {int}:
        try:
            return np.array(items, np.int64)
        except OverflowError:
            pass  # named below
    elif types == {str} and (times := utc_texts_us(cast("list[str]", items))) is not None:
        return times
    return np.array([_instant(item, i) for i, item in enumerate(items)], np.int64)


def _instant(item: int | str, index: int) -> int:
    if isinstance(item, str):
        return parse_us(item, f"times[{index}]")
    if _INT64.min <= item <= _INT64.max:
        return item
    raise InvalidInputError(f"times[{index}]", item, _TIME_EXPECTED)


_KEY = re.compile(r"Object (?P<what>contains unknown|missing required) field `(?P<key>.*)`")


def _refusal(body: bytes, message: str) -> InvalidInputError:
    """What a body that the decoder refuses has wrong; malformed JSON is told by line and column."""
    document = parse_json(body)
    wrong, place = split_message(message)
    key = _KEY.match(wrong)
    if key is not None:
        place = f"{place}.{key['key']}" if place else key["key"]
    if key is not None and key["what"] == "contains unknown":
        known = ", ".join(sorted(_JsonSeries.__struct_fields__))
        return InvalidInputError(place, _at(document, place), f"one of the keys {known}")
    return InvalidInputError(place or "body", _at(document, place), _expected(place))


def _expected(place: str) -> str:
    last = place.rpartition(".")[2]
    if last.endswith("]"):
        return _ITEM_EXPECTED[last.partition("[")[0]]
    return _EXPECTED.get(last, "text") if last else "an object with stream, times and values"


def _at(document: object, place: str) -> object:
    """What stands at a place; None where nothing does."""
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place):
        if key:
            document = document.get(key) if isinstance(document, dict) else None
        else:
            document = document[int(index)] if isinstance(document, list) else None
    return document
