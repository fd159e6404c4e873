"""What is said of a stream, in each store that we have: batches state it, operators change it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest

from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.archive.metadata import Metadata
from aetherops.archive.postgres import PostgresTelemetryStore
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import AcceptedBatch, Receipt, TelemetryStore
from aetherops.archive.stream import Stream, StreamName
from aetherops.audit.memory import MemoryAuditTrail
from aetherops.audit.postgres import PostgresAuditTrail
from aetherops.audit.trail import AuditEntry, AuditTrail, Authorship
from aetherops.errors import NotFoundError

PRESSURE = StreamName("plant", "pump-3", "pressure")
VALVE = StreamName("plant", "valve-1", "open")
ADA = Authorship("ada", 1_767_225_600_000_000, "request-1")


@dataclass
class Kept:
    """A store, and the trail of who changed what in it."""

    store: TelemetryStore
    trail: AuditTrail

    async def write(self, *batches: AcceptedBatch) -> list[str | None]:
        """Why each of the batches was refused, in one transaction."""
        return [receipt.refused for receipt in await self.store.write(batches)]

    async def said(self, name: StreamName) -> Metadata | None:
        return (await self.store.metadata([name])).get(name)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def kept(request: pytest.FixtureRequest) -> Kept:
    if request.param == "memory":
        trail = MemoryAuditTrail()
        return Kept(MemoryTelemetryStore(trail), trail)
    postgres = request.getfixturevalue("runtime_postgres")
    return Kept(PostgresTelemetryStore(postgres), PostgresAuditTrail(postgres))


def batch(
    version: int, *streams: Stream, at_us: int = 0, name: StreamName = PRESSURE
) -> AcceptedBatch:
    one = Samples.of([at_us], [float(version)])
    series = tuple(Series(stream, one) for stream in streams or (Stream(name),))
    return AcceptedBatch(SampleBatch(uuid4(), series), version)


def pressure(unit: str = "", kind: str = "") -> Stream:
    return Stream(PRESSURE, unit, kind)


async def test_the_first_batch_describes_a_stream(kept: Kept) -> None:
    await kept.write(batch(1, pressure("kPa", "counter")), batch(2, Stream(VALVE)))

    assert await kept.said(PRESSURE) == Metadata("kPa", "counter")
    assert await kept.said(VALVE) == Metadata("", "gauge")


async def test_what_is_not_said_changes_nothing(kept: Kept) -> None:
    await kept.write(batch(1, pressure("kPa", "state")))

    assert await kept.write(batch(2, pressure()), batch(3, pressure("kPa"))) == [None, None]
    assert await kept.said(PRESSURE) == Metadata("kPa", "state")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (pressure("psi"), "plant/pump-3/pressure has the unit 'kPa', got 'psi': "),
        (pressure("kPa", "gauge"), "plant/pump-3/pressure has the kind 'state', got 'gauge': "),
    ],
)
async def test_another_unit_or_kind_is_refused_with_what_to_do(
    kept: Kept, given: Stream, told: str
) -> None:
    await kept.write(batch(1, pressure("kPa", "state")))
    wrong, right = batch(2, given, Stream(VALVE, "%"), at_us=5), batch(3, pressure(), at_us=9)

    reason, none = await kept.write(wrong, right)

    assert none is None
    assert reason is not None
    assert reason.startswith(told)
    field = "unit" if "unit" in told else "kind"
    value = given.unit if field == "unit" else given.kind
    assert f"`aetherops streams set plant/pump-3/pressure --{field} {value}`" in reason
    assert await kept.said(PRESSURE) == Metadata("kPa", "state")
    assert (await kept.store.read(PRESSURE, 0, 100)).times_us.tolist() == [0, 9]
    assert await kept.said(VALVE) is None  # nothing of a refused batch is kept
    (receipt,) = await kept.store.receipts([wrong.batch.batch_id])
    assert (receipt.stored, receipt.refused) == (0, reason)


async def test_a_stream_without_a_unit_gets_none_by_a_batch(kept: Kept) -> None:
    await kept.write(batch(1, pressure()))

    (reason,) = await kept.write(batch(2, pressure("kPa")))

    assert reason is not None
    assert reason.startswith("plant/pump-3/pressure has no unit, got 'kPa'")


async def test_of_two_batches_for_a_new_stream_the_one_accepted_first_describes_it(
    kept: Kept,
) -> None:
    second, first = batch(2, pressure("psi")), batch(1, pressure("kPa"))

    refused, none = await kept.write(second, first)

    assert (none, refused is None) == (None, False)
    assert await kept.said(PRESSURE) == Metadata("kPa", "gauge")


async def test_what_a_refused_batch_says_of_other_streams_counts_for_nothing(kept: Kept) -> None:
    await kept.write(batch(1, pressure("kPa")))
    wrong = batch(2, pressure("psi"), Stream(VALVE, "percent"))
    right = batch(3, Stream(VALVE, "%"))

    refused, none = await kept.write(wrong, right)

    assert (refused is None, none) == (False, None)
    assert await kept.said(VALVE) == Metadata("%", "gauge")


async def test_a_refused_batch_is_stored_once_its_cause_is_gone(kept: Kept) -> None:
    await kept.write(batch(1, pressure("kPa")))
    wrong = batch(2, pressure("psi"), at_us=5)
    for _ in range(2):
        await kept.write(wrong)  # delivered again
    await kept.store.describe(PRESSURE, ADA, unit="psi", kind=None)

    assert await kept.write(wrong) == [None]
    (receipt,) = await kept.store.receipts([wrong.batch.batch_id])
    assert (receipt.stored, receipt.refused) == (1, None)


async def test_an_operator_changes_what_is_said_and_that_is_kept(kept: Kept) -> None:
    await kept.write(batch(1, pressure("kPa")))

    record = await kept.store.describe(PRESSURE, ADA, unit="psi", kind=None)
    await kept.store.describe(PRESSURE, ADA, unit=None, kind="state")

    assert (record.stream, record.count) == (pressure("psi", "gauge"), 1)
    assert await kept.said(PRESSURE) == Metadata("psi", "state")
    first, second = await kept.trail.entries(subject=str(PRESSURE))
    assert first.entry == AuditEntry(
        ADA.at_us,
        "ada",
        "stream.describe",
        "plant/pump-3/pressure",
        {"unit": "kPa"},
        {"unit": "psi"},
        "request-1",
    )
    assert (second.entry.old, second.entry.new) == ({"kind": "gauge"}, {"kind": "state"})


async def test_no_change_leaves_no_entry(kept: Kept) -> None:
    await kept.write(batch(1, pressure("kPa")))

    await kept.store.describe(PRESSURE, ADA, unit="kPa", kind="gauge")
    with pytest.raises(NotFoundError):
        await kept.store.describe(VALVE, ADA, unit="%", kind=None)

    assert await kept.trail.entries() == []


async def test_the_trail_is_read_in_order_by_subject_and_by_page(kept: Kept) -> None:
    for i in range(5):
        await kept.trail.append(ADA.entry("a.thing", f"s{i % 2}", {}, {"n": str(i), "x": None}))

    every = await kept.trail.entries()
    assert [one.entry.new["n"] for one in every] == ["0", "1", "2", "3", "4"]
    ids = [one.entry_id for one in every]
    assert ids == sorted(set(ids))
    assert list(await kept.trail.entries(after=ids[1], limit=2)) == list(every[2:4])
    assert [one.entry.new["n"] for one in await kept.trail.entries(subject="s1")] == ["1", "3"]


@pytest.mark.integration
async def test_of_writers_that_race_to_describe_a_stream_one_wins(runtime_postgres) -> None:
    store = PostgresTelemetryStore(runtime_postgres)
    batches = [batch(i, pressure(f"unit-{i}"), at_us=i) for i in range(8)]

    receipts = await together([lambda one=one: store.write([one]) for one in batches])

    stored = [i for i, (receipt,) in enumerate(receipts) if receipt.refused is None]
    assert len(stored) == 1
    assert (await store.find(PRESSURE)).stream.unit == f"unit-{stored[0]}"
    assert (await store.find(PRESSURE)).count == 1


async def together(calls: list[Callable[[], Awaitable[list[Receipt]]]]) -> list[list[Receipt]]:
    return await asyncio.gather(*(call() for call in calls))
