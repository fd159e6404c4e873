"""Batches of samples as JSON; an error names the place, such as ``series[1].times[3]``."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, cast
from uuid import UUID, uuid4

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from aetherops.api.telemetry.json_refusals import (
    EXPECTED,
    TIME_EXPECTED,
    refusal,
    require_keys_once,
)
from aetherops.api.telemetry.utc_texts import utc_texts_us
from aetherops.archive.columns import BatchColumns
from aetherops.archive.samples import SampleBatch, Samples, Series, within
from aetherops.archive.stream import Stream, StreamName, known_stream
from aetherops.errors import InvalidInputError
from aetherops.instants import parse_us

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["decode_json_batch", "uuid_from_json"]

_INT64 = np.iinfo(np.int64)


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

# So many of each stand in a batch of n series, where no key stands twice in an object.
_KEYS_A_SERIES = (b'"stream"', b'"times"', b'"values"')
_KEYS_AT_MOST = (b'"unit"', b'"kind"')


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
        raise refusal(body, str(error), _JsonSeries.__struct_fields__) from error
    _require_keys_once(body, content)
    batch_id = uuid4() if content.batch is UNSET else uuid_from_json(content.batch, "batch")
    if content.series is UNSET:
        return SampleBatch(batch_id, (_series(_single(content)),))
    for name in _JsonSeries.__struct_fields__:
        if getattr(content, name) is not UNSET:
            expected = "either series, or the fields of a single one"
            raise InvalidInputError(name, getattr(content, name), expected)
    return _together(batch_id, content.series) or _one_by_one(batch_id, content.series)


def _require_keys_once(body: bytes, content: _JsonBatch) -> None:
    """Refuse a key that stands twice in an object: which of the two is meant?

    The decoder takes the last one and says nothing. A batch whose keys are as many as they should
    be is read no second time.
    """
    n = 1 if content.series is UNSET else len(content.series)
    if (
        any(body.count(key) != n for key in _KEYS_A_SERIES)
        or any(body.count(key) > n for key in _KEYS_AT_MOST)
        or body.count(b'"batch"') > 1
        or body.count(b'"series"') > 1
    ):
        require_keys_once(body)


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
            raise InvalidInputError(name, None, EXPECTED.get(name, "text"))
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
    raise InvalidInputError(f"times[{index}]", item, TIME_EXPECTED)
