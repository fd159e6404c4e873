"""The batch on the wire: MessagePack around raw little-endian columns.

::

    {"v": 1, "id": bytes[16], "series": [
        {"name": "orbit/sat-7/altitude_km", "unit": "km", "kind": "gauge",
         "times": int64[n], "values": float64[n], "crc": crc32(times + values),
         "kind_given": true}, …]}

Earlier versions need a kind, and said ``gauge`` where their sender said nothing: without
``kind_given`` that says nothing.

Columns travel uncompressed: decoding is a view, and no few bytes can claim to be a
gigabyte. JetStream compresses them on disk; the store packs them for good.
"""

from __future__ import annotations

import zlib
from itertools import pairwise
from uuid import UUID

import msgspec
import numpy as np

from aetherops.archive.columns import BatchColumns
from aetherops.archive.decoding import split_message
from aetherops.archive.samples import SampleBatch, Samples, Series, within
from aetherops.archive.stream import Stream, StreamName, known_stream
from aetherops.errors import InvalidInputError

__all__ = [
    "MEDIA_TYPE",
    "EncodedBatch",
    "decode_accepted_batch",
    "decode_batch",
    "encode_batch",
    "with_encoding",
]

#: Content type of an encoded batch.
MEDIA_TYPE = "application/vnd.aetherops.batch+msgpack"

_VERSION = 1
_UNSAID_KIND = "gauge"
_TIME = np.dtype("<i8")
_VALUE = np.dtype("<f8")


class _WireSeries(msgspec.Struct, omit_defaults=True, gc=False):
    name: str
    unit: str
    kind: str
    times: bytes
    values: bytes
    crc: int
    kind_given: bool = False

    def said_kind(self) -> str:
        return self.kind if self.kind_given or self.kind != _UNSAID_KIND else ""


class _WireBatch(msgspec.Struct, gc=False):
    v: int
    id: bytes
    series: list[_WireSeries]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_WireBatch)


class EncodedBatch(SampleBatch):
    """A batch with the bytes that say it, so that it need not be encoded again."""

    __slots__ = ("data",)

    def __init__(self, batch: SampleBatch, data: bytes) -> None:
        self._take(batch)
        self.data = data


def encode_batch(batch: SampleBatch) -> bytes:
    """A batch as bytes; `decode_batch` gives back the same bits."""
    return batch.data if isinstance(batch, EncodedBatch) else _encode(batch)


def with_encoding(batch: SampleBatch) -> EncodedBatch:
    """The batch with its encoding, made now: where that takes long, in a thread."""
    return batch if isinstance(batch, EncodedBatch) else EncodedBatch(batch, _encode(batch))


def decode_batch(data: bytes) -> EncodedBatch:
    """The batch that bytes hold.

    Raises
    ------
    InvalidInputError
        The bytes are no batch, are damaged, or hold samples that no batch may hold.
    LimitExceededError
        There are more samples than one batch may hold.
    """
    batch_id, wire = _read(data)
    batch = _together(batch_id, wire) or SampleBatch(batch_id, _one_by_one(wire))
    return EncodedBatch(batch, data)


def decode_accepted_batch(data: bytes) -> SampleBatch:
    """The batch that bytes from the queue hold; raises as `decode_batch` does.

    Empty series were accepted once, and stand beside samples that must not be lost: they are
    left out.
    """
    batch_id, wire = _read(data)
    batch = _together(batch_id, wire)
    if batch is None:
        series = tuple(one for one in _one_by_one(wire) if len(one.samples))
        batch = SampleBatch(batch_id, series)
    return batch


def _encode(batch: SampleBatch) -> bytes:
    columns = batch.columns
    times = columns.times_us.astype(_TIME, copy=False).tobytes()
    values = columns.values.astype(_VALUE, copy=False).tobytes()
    series = []
    for stream, (first, last) in zip(columns.streams, pairwise(columns.edges()), strict=True):
        t, v = times[8 * first : 8 * last], values[8 * first : 8 * last]
        kind = stream.kind or _UNSAID_KIND
        one = _WireSeries(str(stream.name), stream.unit, kind, t, v, _checksum(t, v))
        one.kind_given = stream.kind != ""
        series.append(one)
    return _encoder.encode(_WireBatch(_VERSION, batch.batch_id.bytes, series))


def _read(data: bytes) -> tuple[UUID, list[_WireSeries]]:
    try:
        wire = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message, place = split_message(str(error))
        raise InvalidInputError(place or "batch", message, "a MessagePack batch") from error
    if wire.v != _VERSION:
        raise InvalidInputError("batch.v", wire.v, f"version {_VERSION}")
    if len(wire.id) != 16:
        raise InvalidInputError("batch.id", wire.id, "the 16 bytes of a UUID")
    return UUID(bytes=wire.id), wire.series


def _together(batch_id: UUID, wire: list[_WireSeries]) -> SampleBatch | None:
    """The batch, all its series read at once; None where anything in it is not as it should be."""
    times, values = [one.times for one in wire], [one.values for one in wire]
    sizes = [len(column) for column in times]
    if sizes != [len(column) for column in values] or any(size % 8 for size in sizes):
        return None
    if any(one.crc != _checksum(one.times, one.values) for one in wire):
        return None
    try:
        streams = [known_stream(one.name, one.unit, one.said_kind()) for one in wire]
    except InvalidInputError:
        return None
    columns = BatchColumns.of(
        streams,
        [size // 8 for size in sizes],
        np.frombuffer(b"".join(times), _TIME).astype(np.int64, copy=False),
        np.frombuffer(b"".join(values), _VALUE).astype(np.float64, copy=False),
    )
    return SampleBatch.of_columns(batch_id, columns)


def _one_by_one(wire: list[_WireSeries]) -> tuple[Series, ...]:
    """The series, each read alone, so that an error names the place."""
    series = []
    for i, one in enumerate(wire):
        with within(f"series[{i}]"):
            series.append(_decode_series(one))
    return tuple(series)


def _decode_series(wire: _WireSeries) -> Series:
    if len(wire.times) != len(wire.values) or len(wire.times) % 8:
        raise InvalidInputError(
            "",
            f"{len(wire.times)} bytes of times, {len(wire.values)} of values",
            "two columns of eight bytes a sample",
        )
    if wire.crc != _checksum(wire.times, wire.values):
        raise InvalidInputError("crc", wire.crc, "the CRC-32 of both columns")
    stream = Stream(StreamName.parse(wire.name, "name"), wire.unit, wire.said_kind())
    samples = Samples.of(np.frombuffer(wire.times, _TIME), np.frombuffer(wire.values, _VALUE))
    return Series(stream, samples)


def _checksum(times: bytes, values: bytes) -> int:
    return zlib.crc32(values, zlib.crc32(times))
