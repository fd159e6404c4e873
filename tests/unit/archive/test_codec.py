"""A batch survives the wire bit for bit, and nothing else passes for one."""

import zlib
from contextlib import suppress
from uuid import UUID, uuid4

import msgspec
import numpy as np
import pytest
from hypothesis import given, strategies as st

from aetherops.archive.codec import decode_accepted_batch, decode_batch, encode_batch
from aetherops.archive.samples import MAX_BATCH_SAMPLES, SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import AetherOpsError, InvalidInputError, LimitExceededError

ALTITUDE = Stream(StreamName("orbit", "sat-7", "altitude_km"), "km")
finite = st.floats(allow_nan=False, allow_infinity=False)
instants = st.integers(-(10**15), 10**16)


def batch_of(times, values, stream=ALTITUDE):
    return SampleBatch(uuid4(), (Series(stream, Samples.of(times, values)),))


@given(st.lists(st.tuples(instants, finite), min_size=1, max_size=50))
def test_a_batch_decodes_to_the_bits_that_were_encoded(rows):
    batch = batch_of([t for t, _ in rows], [v for _, v in rows])

    again = decode_batch(encode_batch(batch))

    assert again.batch_id == batch.batch_id
    assert again.series[0].stream == ALTITUDE
    for ours, theirs in (
        (batch.series[0].samples.times_us, again.series[0].samples.times_us),
        (batch.series[0].samples.values, again.series[0].samples.values),
    ):
        assert ours.tobytes() == theirs.tobytes()


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_with_our_error(data):
    with pytest.raises(AetherOpsError):
        decode_batch(data)


@given(st.data())
def test_a_flipped_byte_in_a_column_is_noticed(data):
    encoded = bytearray(encode_batch(batch_of([1, 2, 3], [1.0, 2.0, 3.0])))
    column = encoded.index(np.array([1, 2, 3]).tobytes())
    encoded[column + data.draw(st.integers(0, 23))] ^= data.draw(st.integers(1, 255))

    with pytest.raises(InvalidInputError, match=r"series\[0\]\.crc"):
        decode_batch(bytes(encoded))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_a_non_finite_value_names_its_place(value):
    with pytest.raises(InvalidInputError, match=r"^values\[1\]: expected a finite number"):
        batch_of([1, 2], [0.0, value])


def test_an_instant_in_a_wrong_unit_is_refused():
    with pytest.raises(InvalidInputError, match=r"times\[0\].*in the years 1 to 9999"):
        batch_of([1_700_000_000_000_000_000], [0.0])


def test_a_stream_may_stand_once_in_a_batch():
    series = Series(ALTITUDE, Samples.of([1], [1.0]))
    with pytest.raises(InvalidInputError, match="each stream once"):
        SampleBatch(uuid4(), (series, series))


def test_a_batch_over_the_limit_is_refused():
    n = MAX_BATCH_SAMPLES + 1
    with pytest.raises(LimitExceededError, match="at most 262,144, asked for 262,145"):
        batch_of(np.arange(n), np.zeros(n))


def test_another_version_of_the_format_is_refused():
    wire = msgspec.msgpack.decode(encode_batch(batch_of([1], [1.0])))
    wire["v"] = 2
    with pytest.raises(InvalidInputError, match=r"batch\.v: expected version 1, got 2"):
        decode_batch(msgspec.msgpack.encode(wire))


def test_columns_of_unequal_length_are_refused():
    wire = msgspec.msgpack.decode(encode_batch(batch_of([1], [1.0])))
    wire["series"][0]["times"] += b"\0" * 8
    with pytest.raises(InvalidInputError, match="16 bytes of times, 8 of values"):
        decode_batch(msgspec.msgpack.encode(wire))


def test_an_empty_batch_is_refused():
    with pytest.raises(InvalidInputError, match="at least one sample"):
        SampleBatch(UUID(int=0), ())


def test_a_batch_that_was_decoded_is_encoded_as_the_bytes_that_it_came_in():
    data = msgspec.msgpack.encode(msgspec.msgpack.decode(encode_batch(batch_of([1], [1.0]))))

    assert encode_batch(decode_batch(data)) is data


def with_an_empty_series():
    """What the platform once accepted: an empty series beside a good one."""
    wire = msgspec.msgpack.decode(encode_batch(batch_of([1, 2], [1.0, 2.0])))
    empty = {"name": "a/b/c", "unit": "", "kind": "gauge", "times": b"", "values": b"", "crc": 0}
    wire["series"].append(empty)
    return msgspec.msgpack.encode(wire)


def test_an_empty_series_is_refused_with_its_place():
    with pytest.raises(InvalidInputError, match=r"^series\[1\]: expected at least one sample"):
        decode_batch(with_an_empty_series())


def test_an_empty_series_that_was_accepted_once_is_left_out():
    (series,) = decode_accepted_batch(with_an_empty_series()).series
    assert (series.stream, series.samples.values.tolist()) == (ALTITUDE, [1.0, 2.0])


@pytest.mark.parametrize(
    ("key", "value", "place"),
    [
        ("name", "a/b", r"series\[0\]\.name"),
        ("unit", "x" * 33, r"series\[0\]\.unit"),
        ("kind", "thing", r"series\[0\]\.kind"),
        ("crc", 1, r"series\[0\]\.crc"),
        ("times", b"", r"series\[0\]"),
    ],
)
def test_an_error_names_its_place_in_the_batch(key, value, place):
    wire = msgspec.msgpack.decode(encode_batch(batch_of([1], [1.0])))
    wire["series"][0][key] = value
    with pytest.raises(InvalidInputError, match=f"^{place}: expected"):
        decode_batch(msgspec.msgpack.encode(wire))


@pytest.mark.parametrize(
    ("times", "values", "place"),
    [([1, 2**62], [0.0, 0.0], "times"), ([1, 2], [0.0, float("nan")], "values")],
)
def test_a_bad_sample_is_named_by_series_and_index(times, values, place):
    columns = np.array(times, "<i8").tobytes(), np.array(values, "<f8").tobytes()
    wire = msgspec.msgpack.decode(encode_batch(batch_of([1], [1.0])))
    crc = zlib.crc32(columns[1], zlib.crc32(columns[0]))
    wire["series"][0] |= {"times": columns[0], "values": columns[1], "crc": crc}
    with pytest.raises(InvalidInputError, match=rf"^series\[0\]\.{place}\[1\]: expected"):
        decode_batch(msgspec.msgpack.encode(wire))


def test_a_batch_with_any_byte_changed_is_decoded_or_refused_with_our_error():
    data = encode_batch(batch_of([1, 2, 3], [1.0, 2.0, 3.0]))
    for place in range(len(data)):
        for byte in (0x00, 0x7F, 0x80, 0xC1, 0xFF):
            with suppress(AetherOpsError):
                decode_batch(data[:place] + bytes([byte]) + data[place + 1 :])


@pytest.mark.parametrize("depth", [1_000, 200_000])
def test_nesting_without_end_is_no_batch(depth):
    with pytest.raises(InvalidInputError, match="batch: expected a MessagePack batch"):
        decode_batch(b"\x81\xa1x" + b"\x91" * depth)


def test_a_wrong_type_is_told_with_its_place():
    wire = msgspec.msgpack.decode(encode_batch(batch_of([1], [1.0])))
    wire["series"][0]["name"] = 5
    with pytest.raises(InvalidInputError, match="Expected `str`, got `int`") as refused:
        decode_batch(msgspec.msgpack.encode(wire))
    assert refused.value.field == "series[0].name"
