"""Series of a batch that are read together are those that would be read one by one."""

import json
from uuid import uuid4

import numpy as np
import pytest
from hypothesis import given, strategies as st

from aetherops.api.telemetry.json_batches import decode_json_batch
from aetherops.api.telemetry.utc_texts import utc_texts_us
from aetherops.archive.codec import decode_batch, encode_batch, with_encoding
from aetherops.archive.incoming import by_stream
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import AcceptedBatch
from aetherops.archive.stream import Stream, StreamName, known_stream
from aetherops.errors import InvalidInputError
from aetherops.instants import parse_us, to_iso

times = st.one_of(
    st.integers(-(10**15), 10**16),
    st.sampled_from([2**62, -(2**62), 2**70, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00+02:00"]),
    st.sampled_from(["0000-01-01T00:00:00Z", "2026-13-01T00:00:00Z", "noon", "2026-01-01\n"]),
)
names = st.sampled_from(["a/b/c", "a/b/d", "a/b/e", "a/b", "a/ü/c"])


@st.composite
def documents(draw):
    series = []
    for _ in range(draw(st.integers(1, 4))):
        n = draw(st.integers(0, 3))
        series.append(
            {
                "stream": draw(names),
                "unit": draw(st.sampled_from(["", "km", "\n"])),
                "kind": draw(st.sampled_from(["gauge", "state", "mood"])),
                "times": [draw(times) for _ in range(n)],
                "values": [draw(st.floats(-1e300, 1e300)) for _ in range(draw(st.just(n)))],
            }
        )
    return series


def outcome(read):
    """What is read, as rows, or the place and value of what is wrong."""
    try:
        batch = read()
    except InvalidInputError as error:
        return error.field, error.value, error.expected
    return [
        (one.stream, one.samples.times_us.tobytes(), one.samples.values.tobytes())
        for one in batch.series
    ]


def one_by_one(series):
    """A document's series, each sent alone, and then put into one batch."""
    read = []
    for i, one in enumerate(series):
        whole = {"times": [0], "values": [0.0]} if not one["times"] else {}
        try:
            (alone,) = decode_json_batch(json.dumps({**one, **whole}).encode()).series
        except InvalidInputError as error:
            raise InvalidInputError(
                f"series[{i}].{error.field}", error.value, error.expected
            ) from error
        read.append(Series(alone.stream, Samples.empty()) if whole else alone)
    return SampleBatch(uuid4(), tuple(read))


@given(documents())
def test_json_series_together_are_those_that_would_be_sent_alone(series):
    body = json.dumps({"series": series}).encode()

    assert outcome(lambda: decode_json_batch(body)) == outcome(lambda: one_by_one(series))


@given(documents())
def test_what_json_said_is_said_by_its_encoding_too(series):
    try:
        batch = decode_json_batch(json.dumps({"series": series}).encode())
    except InvalidInputError:
        return

    encoded = with_encoding(batch)

    assert encoded.batch_id == batch.batch_id
    assert len(encoded) == len(batch)
    assert outcome(lambda: decode_batch(encode_batch(encoded))) == outcome(lambda: batch)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_wrong_value_among_many_series_is_named_where_it_stands(value):
    good = SampleBatch(
        uuid4(),
        tuple(
            Series(known_stream(f"a/b/p{i}", "", "gauge"), Samples.of([1, 2], [1.0, 2.0]))
            for i in range(50)
        ),
    )
    columns = good.columns
    columns.values[41] = value
    broken = SampleBatch.of_columns(good.batch_id, columns)
    assert broken is None

    with pytest.raises(InvalidInputError) as refused:
        decode_batch(encode_batch(good))

    assert refused.value.field == "series[20].values[1]"


@given(st.lists(st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999), max_size=5))
def test_utc_texts_are_read_together_as_each_is_read_alone(instants):
    texts = [to_iso(us) for us in instants]

    assert utc_texts_us(texts).tolist() == [parse_us(text) for text in texts] == instants


@pytest.mark.parametrize(
    "text",
    ["2026-01-01T00:00:60Z", "2026-02-29T00:00:00Z", "2026-01-01T24:00:00Z", "",
     "0000-12-31T23:59:59Z", "2026-01-01T00:00:00.1234567Z", "2026-01-01T00:00:00Z\n",
     "2026-01-01T00:00:00Z\n2026-01-01T00:00:00Z", "٢026-01-01T00:00:00Z"],
)  # fmt: skip
def test_what_is_no_plain_utc_time_is_left_to_who_reads_it_alone(text):
    assert utc_texts_us(["2026-01-01T00:00:00Z", text]) is None


@given(st.data())
def test_samples_of_many_batches_come_by_stream_and_time_and_in_the_order_they_came(data):
    streams = [StreamName("a", "b", name) for name in "cde"]
    ids = {name: number for number, name in enumerate(data.draw(st.permutations(streams)))}
    batches = []
    for version in range(data.draw(st.integers(1, 5))):
        chosen = data.draw(st.lists(st.sampled_from(streams), unique=True, min_size=1))
        series = []
        for name in chosen:
            at = data.draw(st.lists(st.integers(0, 6), min_size=1, max_size=4))
            series.append(Series(Stream(name), Samples.of(at, np.arange(len(at)) + 10.0 * version)))
        batches.append(AcceptedBatch(SampleBatch(uuid4(), tuple(series)), 100 + version))
    expected = {}
    for origin, accepted in enumerate(batches):
        for series in accepted.batch.series:
            rows = zip(
                series.samples.times_us.tolist(), series.samples.values.tolist(), strict=True
            )
            expected.setdefault(ids[series.stream.name], []).extend(
                (t, v, accepted.version, origin) for t, v in rows
            )

    found = {
        stream_id: list(
            zip(
                incoming.times_us.tolist(),
                incoming.versioned.samples.values.tolist(),
                incoming.versioned.versions.tolist(),
                incoming.origin.tolist(),
                strict=True,
            )
        )
        for stream_id, incoming in by_stream(batches, ids)
    }

    by_time = {key: sorted(rows, key=lambda row: row[0]) for key, rows in expected.items()}
    assert found == by_time
    assert list(found) == sorted(found)


def test_a_stream_that_was_seen_is_the_same_object_and_a_wrong_one_is_refused_each_time():
    assert known_stream("a/b/c", "km", "gauge") is known_stream("a/b/c", "km", "gauge")
    for _ in range(2):
        with pytest.raises(InvalidInputError, match="service/source/parameter"):
            known_stream("a/b", "km", "gauge")


def test_remembered_streams_are_bounded():
    bound = known_stream.cache_info().maxsize
    for i in range(bound + 10):
        known_stream(f"a/b/p{i}", "", "gauge")

    assert known_stream.cache_info().currsize == bound
