"""A batch survives the wire bit for bit, and nothing else passes for one."""

from uuid import UUID, uuid4

import msgspec
import numpy as np
import pytest
from hypothesis import given, strategies as st

from aetherops.archive.codec import decode_batch, encode_batch
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
    with pytest.raises(InvalidInputError, match=r"times\[0\].*between 1 and 9999"):
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
