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
from dataclasses import dataclass, field
from uuid import UUID

import msgspec
import numpy as np

from aetherops.archive.decoding import split_message
from aetherops.archive.samples import SampleBatch, Samples, Series, within
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import InvalidInputError

__all__ = ["MEDIA_TYPE", "EncodedBatch", "decode_accepted_batch", "decode_batch", "encode_batch"]

#: Content type of an encoded batch.
MEDIA_TYPE = "application/vnd.aetherops.batch+msgpack"

_VERSION = 1
_UNSAID_KIND = "gauge"
_TIME = np.dtype("<i8")
_VALUE = np.dtype("<f8")


class _WireSeries(msgspec.Struct, omit_defaults=True):
    name: str
    unit: str
    kind: str
    times: bytes
    values: bytes
    crc: int
    kind_given: bool = False

    def said_kind(self) -> str:
        return self.kind if self.kind_given or self.kind != _UNSAID_KIND else ""


class _WireBatch(msgspec.Struct):
    v: int
    id: bytes
    series: list[_WireSeries]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_WireBatch)


@dataclass(frozen=True, slots=True, eq=False)
class EncodedBatch(SampleBatch):
    """A batch with the bytes that it was decoded from, so that it need not be encoded again."""

    data: bytes = field(repr=False)


def encode_batch(batch: SampleBatch) -> bytes:
    """A batch as bytes; `decode_batch` gives back the same bits."""
    if isinstance(batch, EncodedBatch):
        return batch.data
    series = [_encode_series(one) for one in batch.series]
    return _encoder.encode(_WireBatch(_VERSION, batch.batch_id.bytes, series))


def decode_batch(data: bytes) -> EncodedBatch:
    """The batch that bytes hold.

    Raises
    ------
    InvalidInputError
        The bytes are no batch, are damaged, or hold samples that no batch may hold.
    LimitExceededError
        There are more samples than one batch may hold.
    """
    batch_id, series = _decode(data)
    return EncodedBatch(batch_id, series, data)


def decode_accepted_batch(data: bytes) -> SampleBatch:
    """The batch that bytes from the queue hold; raises as `decode_batch` does.

    Empty series were accepted once, and stand beside samples that must not be lost: they are
    left out.
    """
    batch_id, series = _decode(data)
    return SampleBatch(batch_id, tuple(one for one in series if len(one.samples)))


def _decode(data: bytes) -> tuple[UUID, tuple[Series, ...]]:
    try:
        wire = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        message, place = split_message(str(error))
        raise InvalidInputError(place or "batch", message, "a MessagePack batch") from error
    if wire.v != _VERSION:
        raise InvalidInputError("batch.v", wire.v, f"version {_VERSION}")
    if len(wire.id) != 16:
        raise InvalidInputError("batch.id", wire.id, "the 16 bytes of a UUID")
    series = []
    for i, one in enumerate(wire.series):
        with within(f"series[{i}]"):
            series.append(_decode_series(one))
    return UUID(bytes=wire.id), tuple(series)


def _encode_series(series: Series) -> _WireSeries:
    times = series.samples.times_us.astype(_TIME, copy=False).tobytes()
    values = series.samples.values.astype(_VALUE, copy=False).tobytes()
    stream = series.stream
    return _WireSeries(
        str(stream.name),
        stream.unit,
        stream.kind or _UNSAID_KIND,
        times,
        values,
        _checksum(times, values),
        kind_given=stream.kind != "",
    )


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
