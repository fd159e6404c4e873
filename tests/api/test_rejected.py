"""Batches that were set aside, over HTTP and by command: for those with the right ``admin``."""

from __future__ import annotations

from uuid import uuid4

import pytest

from aetherops.archive.codec import encode_batch
from aetherops.archive.intake import RejectedBatch
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.cli.rejected.command import shown_text, table_text
from aetherops.errors import NotFoundError

BATCH = SampleBatch(
    uuid4(), (Series(Stream(StreamName("a", "b", "c"), "km"), Samples.of([5, 1], [1.0, 2.0])),)
)


class Kept:
    """Batches that were set aside, in memory."""

    def __init__(self) -> None:
        self.batches = {
            3: RejectedBatch(3, 1_000_000, "ValueError: no way", encode_batch(BATCH)),
            7: RejectedBatch(7, 2_000_000, "expected a MessagePack batch", b"no batch"),
        }
        self.replayed: list[int] = []

    async def list(self, after, limit):
        return [one for key, one in self.batches.items() if key > after][:limit]

    async def get(self, rejected_id):
        if rejected_id not in self.batches:
            raise NotFoundError("rejected batch", str(rejected_id))
        return self.batches[rejected_id]

    async def replay(self, rejected_id):
        await self.drop(rejected_id)
        self.replayed.append(rejected_id)

    async def drop(self, rejected_id):
        await self.get(rejected_id)
        del self.batches[rejected_id]


@pytest.fixture
def kept():
    return Kept()


@pytest.fixture
async def admin(platform, kept):
    async with platform.client(platform.token("admin"), rejected=kept) as client:
        yield client


async def test_they_are_listed_with_what_they_hold_and_why(admin):
    listed = (await admin.get("/v1/rejected")).json()["rejected"]

    assert [one["id"] for one in listed] == [3, 7]
    assert listed[0] | {"bytes": 0} == {
        "id": 3,
        "at": "1970-01-01T00:00:01Z",
        "reason": "ValueError: no way",
        "bytes": 0,
        "batch": str(BATCH.batch_id),
        "samples": 2,
    }
    assert (listed[1]["batch"], listed[1]["bytes"]) == (None, 8)
    assert (await admin.get("/v1/rejected?after=3")).json()["rejected"] == listed[1:]
    assert table_text(listed).splitlines()[1].split()[-6:-4] == ["8", "bytes"]


async def test_one_is_shown_with_its_series(admin):
    shown = (await admin.get("/v1/rejected/3")).json()

    assert shown["series"] == [
        {
            "stream": "a/b/c",
            "unit": "km",
            "kind": "",
            "samples": 2,
            "first": "1970-01-01T00:00:00.000001Z",
            "last": "1970-01-01T00:00:00.000005Z",
        }
    ]
    assert "a/b/c  2 samples" in shown_text(shown)
    assert (await admin.get("/v1/rejected/7")).json()["series"] == []


async def test_one_is_replayed_and_one_is_dropped(admin, kept):
    assert (await admin.post("/v1/rejected/3/replay")).status_code == 202
    assert (await admin.delete("/v1/rejected/7")).status_code == 200

    assert kept.replayed == [3]
    assert kept.batches == {}
    assert (await admin.delete("/v1/rejected/7")).status_code == 404
    for bad in ("0", "9" * 19, "x"):
        assert (await admin.get(f"/v1/rejected/{bad}")).status_code == 400


@pytest.mark.parametrize("role", ["operator", "viewer"])
async def test_only_an_admin_may(platform, kept, role):
    async with platform.client(platform.token(role), rejected=kept) as client:
        for method, path in (
            ("GET", ""),
            ("GET", "/3"),
            ("DELETE", "/3"),
            ("POST", "/3/replay"),
        ):
            answer = await client.request(method, f"/v1/rejected{path}")
            assert answer.status_code == 403
    assert len(kept.batches) == 2


@pytest.mark.parametrize("odd", ["x", "-1", "1" * 30, "½"])
async def test_what_is_no_id_is_named(admin, odd):
    answer = await admin.get(f"/v1/rejected/{odd}")
    assert answer.status_code == 400
    assert answer.json()["error"]["field"] == "id"
