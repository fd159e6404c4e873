"""What the edge accepts the store can write: each answer 202 is followed by a receipt."""

from __future__ import annotations

import json
import math
import zlib
from uuid import UUID, uuid4

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings as examples, strategies as st

from aetherops.archive.codec import MEDIA_TYPE
from aetherops.instants import FIRST_US, LAST_US, to_iso

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

#: Each is drawn from what may be, and once in a while from what must be refused.
NAMES = ["a/b/c", "a/b/d", "a/b/e", "A.1/-:+/z", f"{'x' * 64}/y/{'z' * 64}"], ["a/b", "", "é/b/c"]
UNITS = ["", "km", "°C", "µ" * 32], ["\x00", "\ud800", "x" * 33]
KINDS = ["gauge", "counter", "state"], ["other"]
EDGES = [FIRST_US, LAST_US, 0, -1]
BEYOND = [FIRST_US - 1, LAST_US + 1, 2**63 - 1, -(2**63)]
LARGEST = 1.7976931348623157e308
EXTREMES = [-0.0, 5e-324, LARGEST, -LARGEST]


def mostly(allowed, refused):
    """What is allowed, and one time in sixty what is not."""
    odds = st.integers(0, 59)
    return odds.flatmap(lambda odd: refused if odd == 59 else allowed)


NAME, UNIT, KIND = (mostly(*map(st.sampled_from, both)) for both in (NAMES, UNITS, KINDS))
INSTANTS = st.integers(FIRST_US, LAST_US) | st.integers(-5, 5) | st.sampled_from(EDGES)
TIMES = mostly(INSTANTS, st.sampled_from(BEYOND))
NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from(EXTREMES)
VALUES = mostly(NUMBERS, st.sampled_from([math.nan, math.inf]))


@st.composite
def series(draw):
    n = draw(mostly(st.integers(1, 12), st.just(0)))
    times = draw(st.lists(TIMES, min_size=n, max_size=n))
    values = draw(st.lists(VALUES, min_size=n, max_size=n))
    name = draw(NAME)
    # Each stream has a unit and a kind of its own, and once in a while a batch says others.
    own = NAMES[0].index(name) if name in NAMES[0] else 0
    unit = draw(mostly(st.just(UNITS[0][own % len(UNITS[0])]), UNIT))
    kind = draw(mostly(st.just(KINDS[0][own % len(KINDS[0])]), KIND))
    return {"name": name, "unit": unit, "kind": kind}, times, values


def as_json(batch, *, texts):
    def time(us):
        return to_iso(us) if texts and FIRST_US <= us <= LAST_US else us

    content = [
        {"stream": head["name"], "unit": head["unit"], "kind": head["kind"]}
        | {"times": [time(us) for us in times], "values": values}
        for head, times, values in batch
    ]
    whole = {"batch": str(uuid4()), "series": content}
    if len(content) == 1:
        whole = {"batch": whole["batch"], **content[0]}
    return json.dumps(whole).encode(), "application/json"


def as_bytes(batch):
    content = []
    for head, times, values in batch:
        columns = np.array(times, "<i8").tobytes(), np.array(values, "<f8").tobytes()
        crc = zlib.crc32(columns[1], zlib.crc32(columns[0]))
        unit = head["unit"].encode("utf-8", "replace").decode()
        name = head["name"].encode("utf-8", "replace").decode()
        head = head | {"unit": unit, "name": name}
        content.append(head | {"times": columns[0], "values": columns[1], "crc": crc})
    return msgspec.msgpack.encode({"v": 1, "id": uuid4().bytes, "series": content}), MEDIA_TYPE


@st.composite
def bodies(draw):
    batch = draw(st.lists(series(), min_size=1, max_size=4, unique_by=lambda one: one[0]["name"]))
    form = draw(st.sampled_from(["bytes", "numbers", "texts"]))
    return as_bytes(batch) if form == "bytes" else as_json(batch, texts=form == "texts")


async def test_each_answer_of_202_is_followed_by_a_receipt(ingest, client):
    accepted: list[UUID] = []
    statuses: set[int] = set()
    drawn: list[tuple[bytes, str]] = []

    @examples(
        max_examples=300, deadline=None, suppress_health_check=list(HealthCheck), database=None
    )
    @given(body=bodies())
    def draw(body):
        drawn.append(body)

    draw()
    async with ingest.working(max_tries=1):
        for content, media_type in drawn:
            answer = await client.post(
                "/v1/telemetry", content=content, headers={"Content-Type": media_type}
            )
            statuses.add(answer.status_code)
            if answer.status_code == 202:
                accepted.append(UUID(answer.json()["batch"]))
        batches = [type("Batch", (), {"batch_id": one}) for one in accepted]
        receipts = await ingest.receipts(batches, 120)

    refused = [receipt for receipt in receipts if receipt.refused is not None]
    assert await ingest.rejected.count() == len(refused)
    assert {202, 400} <= statuses <= {202, 400, 409}
    assert len(refused) < len(accepted) / 4
    assert len(accepted) > len(drawn) / 4
