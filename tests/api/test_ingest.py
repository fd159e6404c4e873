"""Telemetry in over HTTP: what is accepted, and what each refusal names."""

import json
import zlib
from uuid import UUID, uuid4

import msgspec
import numpy as np
import pytest
from hypothesis import given, strategies as st

from aetherops.api.telemetry.json_batches import decode_json_batch
from aetherops.archive.codec import MEDIA_TYPE, encode_batch
from aetherops.archive.intake import BacklogFullError
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import UnavailableError
from aetherops.instants import FIRST_US, LAST_US, to_iso
from aetherops.runtime.settings import Settings

NAME = StreamName("orbit", "sat-7", "altitude_km")
ONE = {
    "stream": str(NAME),
    "unit": "km",
    "times": ["2026-01-01T00:00:00Z", "2026-01-01T01:00:01.5+01:00", 1_767_225_602_000_000],
    "values": [400, 401.5, -0.25],
}
START_US, END_US = 1_767_225_600_000_000, 1_767_225_700_000_000


async def test_one_series_is_accepted_and_stored(client, platform):
    response = await client.post("/v1/telemetry", json=ONE)
    assert response.status_code == 202
    assert response.json()["samples"] == 3
    UUID(response.json()["batch"])
    samples = await platform.store.read(NAME, START_US, END_US)
    assert (samples.times_us - START_US).tolist() == [0, 1_500_000, 2_000_000]
    assert samples.values.tolist() == [400, 401.5, -0.25]
    assert (await platform.store.find(NAME)).stream.unit == "km"


async def test_several_series_are_one_batch(client, platform):
    batch_id = str(uuid4())
    series = [ONE, {"stream": "a/b/c", "kind": "counter", "times": [0], "values": [1]}]
    response = await client.post("/v1/telemetry", json={"batch": batch_id, "series": series})
    assert response.json() == {"batch": batch_id, "samples": 4}
    assert len(await platform.store.streams()) == 2


async def test_a_batch_under_the_same_id_is_stored_once(client):
    body = ONE | {"batch": str(uuid4())}
    for _ in range(2):
        assert (await client.post("/v1/telemetry", json=body)).status_code == 202
    response = await client.post("/v1/receipts", json={"batches": [body["batch"]]})
    (receipt,) = response.json()["receipts"]
    assert receipt == {"batch": body["batch"], "stored": 3, "duplicates": 0, "corrected": 0}


async def test_receipts_come_only_for_what_is_stored(client):
    response = await client.post("/v1/receipts", json={"batches": [str(uuid4())]})
    assert response.json() == {"receipts": []}


async def test_a_binary_batch_is_accepted(client, platform):
    times = np.arange(50_000) + START_US
    samples = Samples.of(times, np.sin(times))
    batch = SampleBatch(uuid4(), (Series(Stream(NAME), samples),))
    response = await client.post(
        "/v1/telemetry", content=encode_batch(batch), headers={"Content-Type": MEDIA_TYPE}
    )
    assert response.json() == {"batch": str(batch.batch_id), "samples": 50_000}
    stored = await platform.store.read(NAME, START_US, END_US)
    assert stored.values.tobytes() == samples.values.tobytes()


async def test_a_long_json_batch_is_accepted(client):
    n = 20_000
    body = {"stream": "a/b/c", "times": list(range(n)), "values": [0.5] * n}
    assert (await client.post("/v1/telemetry", json=body)).json()["samples"] == n


def changed(**changes):
    return {key: value for key, value in (ONE | changes).items() if value is not ...}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ([], "body"),
        ("text", "body"),
        (changed(stream=...), "stream"),
        (changed(stream="orbit"), "stream"),
        (changed(stream="a/b/c d"), "stream"),
        (changed(stream=7), "stream"),
        (changed(unit=5), "unit"),
        (changed(unit="x" * 33), "unit"),
        (changed(kind="thing"), "kind"),
        (changed(times=...), "times"),
        (changed(times={}), "times"),
        (changed(values=...), "values"),
        (changed(values=[1, 2]), "values"),
        (changed(times=[], values=[]), "series"),
        (changed(times=[0, "2026-01-01T00:00:00", 2]), "times[1]"),
        (changed(times=[0, 1, "yesterday"]), "times[2]"),
        (changed(times=[0, 1.5, 2]), "times[1]"),
        (changed(times=[0, None, 2]), "times[1]"),
        (changed(times=[True, 1, 2]), "times[0]"),
        (changed(times=[0, 1, 2**63]), "times[2]"),
        (changed(times=[0, 1, 2**62]), "times[2]"),
        (changed(values=[1, "2", 3]), "values[1]"),
        (changed(values=[1, 2, None]), "values[2]"),
        (changed(values=[True, 2, 3]), "values[0]"),
        (changed(values=["NaN", 2, 3]), "values[0]"),
        (changed(untis="km"), "untis"),
        (changed(batch="seven"), "batch"),
        (changed(batch=None), "batch"),
        ({"series": {}}, "series"),
        ({"series": []}, "series"),
        ({"series": [ONE], "unit": "km"}, "unit"),
        ({"series": [ONE, 5]}, "series[1]"),
        ({"series": [ONE, changed(kind="thing")]}, "series[1].kind"),
        ({"series": [ONE, changed(times=[0, 1, 2, "x"])]}, "series[1].times[3]"),
        ({"series": [ONE, changed(stream="a/b/c", times=[0, 1, 2**62])]}, "series[1].times[2]"),
        ({"series": [ONE, ONE]}, "series[1].stream"),
        ({"series": [ONE, changed(stream="a/b/c", times=[], values=[])]}, "series[1]"),
        ({"series": [ONE, changed(stream=...)]}, "series[1].stream"),
        ({"series": [ONE, changed(untis="km")]}, "series[1].untis"),
        ({"series": [ONE, changed(unit=None)]}, "series[1].unit"),
        ({"series": [ONE, changed(stream="a/b/c", values=[1, True, 3])]}, "series[1].values[1]"),
        ({"series": [ONE, changed(stream="a/b/c", values=[1, 2])]}, "series[1].values"),
        ({"series": [ONE, changed(stream="a/b/c", times=5)]}, "series[1].times"),
        (changed(times=[0, [1], 2]), "times[1]"),
        (changed(times=[0, 1, -(2**63) - 1]), "times[2]"),
        (changed(values=[1, [], 3]), "values[1]"),
    ],
)
async def test_a_refusal_names_the_place(client, platform, body, field):
    response = await client.post("/v1/telemetry", json=body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["code"], error["field"]) == ("BAD_INPUT", field)
    assert error["expected"]
    assert await platform.store.streams() == []


@pytest.mark.parametrize(
    ("number", "place"),
    [
        (b"NaN", "values[0]"),
        (b"-Infinity", "values[0]"),
        (b"1e999", "values[0]"),
        (b"01", "body, line 1 column 4"),
    ],
)
async def test_what_json_calls_no_number_is_refused_with_the_place(client, number, place):
    content = b'{"stream": "a/b/c", "times": [0], "values": [' + number + b"]}"
    response = await client.post(
        "/v1/telemetry", content=content, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    assert response.json()["error"]["field"].startswith(place)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{"stream": "a/b/\xff"}', "body, byte 16"),
        (b'{"stream": "\\ud800"}', "body, line 1 column"),
        (b'{"stream": "a/b/c"', "body, line 1 column"),
        (b'{"stream": "a/b/c"} {}', "body, line 1 column"),
        (b'{"times": ' + b"[" * 5_000, "body, line 1 column"),
        (b"", "body, line 1 column"),
        (b'{"a` - at `$.times[0]": 1}', "times[0].a"),
    ],
)
async def test_a_body_that_is_no_json_is_refused_with_the_place(client, content, place):
    response = await client.post(
        "/v1/telemetry", content=content, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    assert response.json()["error"]["field"].startswith(place)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'{"stream": "a/b/c", "times": [1], "values": [1], "values": [2.5]}', "values"),
        (b'{"stream": "a/b/c", "stream": "a/b/d", "times": [1], "values": [1]}', "stream"),
        (b'{"batch": "x", "batch": "y", "stream": "a/b/c", "times": [1], "values": [1]}', "batch"),
        (b'{"a.b": 1}', '["a.b"]'),
        (b'{"": 1}', '[""]'),
        (b'{"a\\nb": 1}', '["a\\nb"]'),
        (b'{"series": [{"x[0]": 1}]}', 'series[0]["x[0]"]'),
    ],
)
async def test_a_key_that_stands_twice_or_is_none_of_ours_is_named(
    client, platform, content, place
):
    response = await client.post(
        "/v1/telemetry", content=content, headers={"Content-Type": "application/json"}
    )
    assert (response.status_code, response.json()["error"]["field"]) == (400, place)
    assert await platform.store.streams() == []


def test_a_text_that_reads_as_a_key_is_a_text():
    content = b'{"stream": "a/b/c", "unit": "times", "times": [1], "values": [1]}'
    (series,) = decode_json_batch(content).series
    assert series.stream.unit == "times"


numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**70), 2**70)
instants = st.integers(FIRST_US, LAST_US)


@given(st.lists(st.tuples(instants, st.booleans(), numbers), min_size=1, max_size=30))
def test_numbers_and_instants_are_read_to_the_last_bit(rows):
    times = [to_iso(t) if as_text else t for t, as_text, _ in rows]
    values = [value for *_, value in rows]

    batch = decode_json_batch(
        json.dumps({"stream": "a/b/c", "times": times, "values": values}).encode()
    )

    (series,) = batch.series
    assert series.samples.times_us.tolist() == [t for t, *_ in rows]
    assert series.samples.values.tobytes() == np.array(values, np.float64).tobytes()


async def test_an_error_in_a_binary_batch_has_the_same_place_as_in_json(client):
    wire = msgspec.msgpack.decode(
        encode_batch(SampleBatch(uuid4(), (Series(Stream(NAME), Samples.of([1], [1.0])),)))
    )
    columns = np.array([0, 2**62], "<i8").tobytes(), np.array([0.0, 1.0], "<f8").tobytes()
    crc = zlib.crc32(columns[1], zlib.crc32(columns[0]))
    wire["series"][0] |= {"times": columns[0], "values": columns[1], "crc": crc}
    binary = await client.post(
        "/v1/telemetry",
        content=msgspec.msgpack.encode(wire),
        headers={"Content-Type": MEDIA_TYPE},
    )
    in_json = await client.post(
        "/v1/telemetry",
        json={"series": [{"stream": str(NAME), "times": [0, 2**62], "values": [0, 1]}]},
    )
    assert binary.json() == in_json.json()
    assert binary.json()["error"]["field"] == "series[0].times[1]"


async def test_damaged_bytes_are_refused(client):
    batch = SampleBatch(uuid4(), (Series(Stream(NAME), Samples.of([1, 2], [1, 2])),))
    content = encode_batch(batch)[:-3]
    response = await client.post(
        "/v1/telemetry", content=content, headers={"Content-Type": MEDIA_TYPE}
    )
    assert response.status_code == 400


async def test_another_media_type_is_refused(client):
    response = await client.post(
        "/v1/telemetry", content=b"1,2", headers={"Content-Type": "text/csv"}
    )
    assert response.status_code == 415
    assert response.json()["error"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


async def test_a_body_over_the_limit_is_refused(platform):
    async with platform.client(settings=Settings(max_request_bytes=1024)) as client:
        response = await client.post("/v1/telemetry", json=changed(times=[0] * 600))
    assert response.status_code == 413
    assert response.json()["error"]["limit"] == 1024


async def test_more_samples_than_a_batch_may_hold_are_refused(client):
    n = 262_145
    body = {"stream": "a/b/c", "times": list(range(n)), "values": [0] * n}
    response = await client.post("/v1/telemetry", json=body)
    assert response.status_code == 413
    assert response.json()["error"]["asked"] == n


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ([], 400),
        ({}, 400),
        ({"batches": "x"}, 400),
        ({"batches": [5]}, 400),
        ({"batches": [str(uuid4())] * 1001}, 413),
    ],
)
async def test_bad_questions_about_receipts_are_refused(client, body, status):
    assert (await client.post("/v1/receipts", json=body)).status_code == status


class RefusingQueue:
    def __init__(self, error):
        self._error = error

    async def put(self, batch):
        raise self._error


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (UnavailableError("nats", 4.2), "UNAVAILABLE", "nats is unavailable, try again in 4.2 s"),
        (BacklogFullError(), "BACKLOG_FULL", "the ingest backlog is full, try again in 5 s"),
    ],
)
async def test_what_cannot_be_kept_is_a_503_with_a_time_to_come_back(
    platform, error, code, message
):
    async with platform.client(intake=RefusingQueue(error)) as client:
        response = await client.post("/v1/telemetry", json=ONE)
        metrics = await client.get("/metrics")
    assert response.status_code == 503
    assert response.headers["retry-after"] == "5"
    assert response.json()["error"] == {
        "code": code,
        "message": message,
        "dependency": error.dependency,
        "retryAfter": 5,
    }
    assert "aetherops_accepted_samples_total 0.0" in metrics.text


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"x": DEEP, "stream": "a/b/c", "times": [1], "values": [1]}', "x"),
        ('{"stream": "a/b/c", "times": [1], "values": DEEP}', "values[0]"),
        ('{"stream": "a/b/c", "times": DEEP, "values": [1]}', "times[0]"),
        ("DEEP", "body"),
    ],
)
async def test_nested_values_are_refused_where_they_stand(client, body, field):
    content = body.replace("DEEP", "[" * 1_000 + "]" * 1_000)
    response = await client.post(
        "/v1/telemetry", content=content, headers={"Content-Type": "application/json"}
    )
    assert response.status_code == 400
    assert response.json()["error"]["field"] == field


async def test_who_only_reads_changes_nothing_of_a_stream(platform) -> None:
    async with platform.client(platform.token("viewer")) as viewer:
        answer = await viewer.patch(f"/v1/streams/{NAME}", json={"unit": "psi"})
    assert answer.status_code == 403
