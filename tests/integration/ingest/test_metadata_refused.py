"""Batches that say what their streams are not: refused on every way in, or set aside with it."""

from __future__ import annotations

import zlib
from uuid import uuid4

import msgspec
import numpy as np
import pytest

from aetherops.archive.codec import MEDIA_TYPE, decode_accepted_batch, encode_batch
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.audit.postgres import PostgresAuditTrail

pytestmark = pytest.mark.integration

NAME = StreamName("plant", "pump-3", "pressure")


def batch_of(unit: str = "", kind: str = "", at_us: int = 0) -> SampleBatch:
    return SampleBatch(
        uuid4(), (Series(Stream(NAME, unit, kind), Samples.of([at_us], [float(at_us)])),)
    )


def as_before(kind: str, unit: str = "") -> tuple[bytes, SampleBatch]:
    """A batch in the form that the version before wrote, which always said a kind."""
    times, values = np.array([7], "<i8").tobytes(), np.array([1.0], "<f8").tobytes()
    one = {"name": str(NAME), "unit": unit, "kind": kind, "times": times, "values": values}
    one |= {"crc": zlib.crc32(values, zlib.crc32(times))}
    data = msgspec.msgpack.encode({"v": 1, "id": uuid4().bytes, "series": [one]})
    return data, decode_accepted_batch(data)


async def stored_first(ingest, unit="kPa", kind="state"):
    first = batch_of(unit, kind)
    async with ingest.working():
        await ingest.queue.put(first)
        await ingest.receipts([first])


@pytest.mark.parametrize("form", ["json", "bytes"])
@pytest.mark.parametrize(
    ("given", "field", "stored"),
    [({"unit": "psi"}, "unit", "kPa"), ({"kind": "gauge"}, "kind", "state")],
)
async def test_the_edge_refuses_what_differs(ingest, client, form, given, field, stored):
    await stored_first(ingest)
    if form == "json":
        document = {"stream": str(NAME), "times": [1], "values": [1.0], **given}
        answer = await client.post("/v1/telemetry", json=document)
    else:
        content = encode_batch(batch_of(**given))
        headers = {"Content-Type": MEDIA_TYPE}
        answer = await client.post("/v1/telemetry", content=content, headers=headers)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (409, "CONFLICT")
    assert (error["stream"], error["field"]) == (str(NAME), field)
    assert (error["stored"], error["given"]) == (stored, given[field])
    assert f"`aetherops streams set {NAME} --{field} {given[field]}`" in error["message"]
    assert (await ingest.queue.condition()).backlog.batches == 0


async def test_two_batches_in_flight_for_a_new_stream_the_second_is_set_aside(
    ingest, client, eventually
):
    first, second = batch_of("kPa"), batch_of("psi", at_us=5)
    for one in (first, second):
        answer = await client.post(
            "/v1/telemetry", content=encode_batch(one), headers={"Content-Type": MEDIA_TYPE}
        )
        assert answer.status_code == 202
    async with ingest.working():
        kept, refused = await ingest.receipts([first, second])
        await eventually(ingest.rejected.count)

    assert (kept.stored, kept.refused) == (1, None)
    assert "has the unit 'kPa', got 'psi'" in refused.refused
    (rejected,) = await ingest.rejected.list()
    assert rejected.reason == refused.refused
    assert (await ingest.queue.condition()).backlog.batches == 0  # and is not delivered again
    asked = {"batches": [str(second.batch_id)]}
    (told,) = (await client.post("/v1/receipts", json=asked)).json()["receipts"]
    assert told == {
        "batch": str(second.batch_id),
        "stored": 0,
        "duplicates": 0,
        "corrected": 0,
        "refused": refused.refused,
    }


async def test_what_was_set_aside_is_stored_by_a_replay_after_the_change(
    ingest, client, eventually
):
    await stored_first(ingest, "kPa", "gauge")
    wrong = batch_of("psi", at_us=5)
    async with ingest.working():
        await ingest.queue.put(wrong)
        await eventually(ingest.rejected.count)
        answer = await client.patch(f"/v1/streams/{NAME}", json={"unit": "psi"})
        assert answer.json() == {"stream": str(NAME), "unit": "psi", "kind": "gauge"}
        await ingest.rejected.replay((await ingest.rejected.list())[0].rejected_id)
        await eventually(lambda: is_stored(ingest, wrong))
    assert await ingest.rejected.count() == 0


async def test_a_replay_without_a_change_is_set_aside_again_and_not_lost(ingest, eventually):
    await stored_first(ingest, "kPa", "gauge")
    wrong = batch_of("psi", at_us=5)
    async with ingest.working():
        await ingest.queue.put(wrong)
        await eventually(ingest.rejected.count)
        for _ in range(3):
            (before,) = await ingest.rejected.list()
            await ingest.rejected.replay(before.rejected_id)
            await eventually(ingest.rejected.count)
            (again,) = await ingest.rejected.list()
            assert again.rejected_id > before.rejected_id
            assert (again.data, again.reason) == (before.data, before.reason)


async def is_stored(ingest, batch):
    (receipt,) = await ingest.store.receipts([batch.batch_id])
    return receipt.refused is None and receipt.stored == 1


@pytest.mark.parametrize(("kind", "unit"), [("gauge", ""), ("state", "kPa")])
async def test_a_batch_of_the_version_before_is_stored_and_changes_nothing(ingest, kind, unit):
    await stored_first(ingest)
    data, batch = as_before(kind, unit)
    await ingest.nats.js.publish("telemetry.batch", data)
    async with ingest.working():
        (receipt,) = await ingest.receipts([batch])

    assert (receipt.stored, receipt.refused) == (1, None)
    said = (await ingest.store.metadata([NAME]))[NAME]
    assert said == ("kPa", "state")


async def test_the_version_before_reads_what_this_one_writes():
    """It knows the fields below, ignores others, and needs a kind."""
    wire = msgspec.msgpack.decode(encode_batch(batch_of()))["series"][0]
    assert wire["kind"] == "gauge"
    assert "kind_given" not in wire
    assert msgspec.msgpack.decode(encode_batch(batch_of(kind="gauge")))["series"][0]["kind_given"]
    for kind in ("", "gauge", "state"):
        (series,) = decode_accepted_batch(encode_batch(batch_of("kPa", kind))).series
        assert series.stream == Stream(NAME, "kPa", kind)


async def test_a_change_over_http_is_kept_with_who_and_by_which_request(ingest, client):
    await stored_first(ingest)
    headers = {"X-Request-Id": "correlated-7"}
    body = {"unit": "psi", "kind": "gauge"}
    answer = await client.patch(f"/v1/streams/{NAME}", json=body, headers=headers)

    assert answer.status_code == 200
    (kept,) = await PostgresAuditTrail(ingest.postgres).entries(subject=str(NAME))
    assert (kept.entry.operator, kept.entry.correlation) == ("op", "correlated-7")
    assert kept.entry.old == {"unit": "kPa", "kind": "state"}
    assert kept.entry.new == body


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        (str(NAME), {}, 400),
        (str(NAME), {"unit": 5}, 400),
        (str(NAME), {"kind": ""}, 400),
        (str(NAME), {"kind": "other"}, 400),
        (str(NAME), {"name": "x"}, 400),
        (str(NAME), ["unit"], 400),
        ("plant/pump-3", {"unit": "m"}, 400),
        ("no/such/stream", {"unit": "m"}, 404),
    ],
)
async def test_a_change_that_makes_no_sense_is_refused(ingest, client, path, body, status):
    await stored_first(ingest)
    answer = await client.patch(f"/v1/streams/{path}", json=body)
    assert answer.status_code == status
    assert await PostgresAuditTrail(ingest.postgres).entries() == []
