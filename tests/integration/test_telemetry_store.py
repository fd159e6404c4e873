"""The promise of a telemetry store, held by each that we have."""

import asyncio
import itertools
from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from aetherops.aggregation.moments import Moments
from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.archive.postgres import PostgresTelemetryStore
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import AcceptedBatch, Receipt
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import NotFoundError
from aetherops.instants import FIRST_US, LAST_US

ALTITUDE = Stream(StreamName("orbit", "sat-7", "altitude_km"), "km")
SPEED = Stream(StreamName("orbit", "sat-7", "speed_km_s"), "km/s")
ALWAYS = (-(10**17), 10**17)


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.integration)])
def store(request):
    if request.param == "memory":
        return MemoryTelemetryStore()
    return PostgresTelemetryStore(request.getfixturevalue("runtime_postgres"))


def accepted(version, times, values, stream=ALTITUDE):
    series = Series(stream, Samples.of(times, values))
    return AcceptedBatch(SampleBatch(uuid4(), (series,)), version)


async def rows(store, stream=ALTITUDE, start_us=ALWAYS[0], end_us=ALWAYS[1]):
    samples = await store.read(stream.name, start_us, end_us)
    return list(zip(samples.times_us.tolist(), samples.values.tolist(), strict=True))


async def test_what_was_written_is_read_in_order_of_time(store):
    (receipt,) = await store.write([accepted(1, [30, 10, 20], [3.0, 1.0, 2.0])])

    assert receipt.stored == 3
    assert await rows(store) == [(10, 1.0), (20, 2.0), (30, 3.0)]


async def test_a_range_includes_its_start_and_excludes_its_end(store):
    await store.write([accepted(1, [10, 20, 30], [1.0, 2.0, 3.0])])

    assert await rows(store, start_us=10, end_us=30) == [(10, 1.0), (20, 2.0)]
    assert await rows(store, start_us=11, end_us=20) == []
    assert await rows(store, start_us=30, end_us=10) == []


async def test_the_same_batch_again_changes_nothing_and_has_its_first_receipt(store):
    batch = accepted(1, [10, 20], [1.0, 2.0])

    first = await store.write([batch])
    again = await store.write([batch, batch])

    assert again == [*first, *first]
    assert (await store.find(ALTITUDE.name)).count == 2


async def test_the_same_samples_in_another_batch_are_all_duplicates(store):
    await store.write([accepted(1, [10, 20], [1.0, 2.0])])
    (receipt,) = await store.write([accepted(2, [10, 20], [1.0, 2.0])])

    assert (receipt.stored, receipt.duplicates, receipt.corrected) == (0, 2, 0)
    assert (await store.find(ALTITUDE.name)).count == 2


async def test_late_samples_between_others_are_read_in_their_place(store):
    await store.write([accepted(1, [10, 30], [1.0, 3.0])])
    await store.write([accepted(2, [20, 40], [2.0, 4.0])])

    assert await rows(store) == [(10, 1.0), (20, 2.0), (30, 3.0), (40, 4.0)]


async def test_the_later_version_counts_whichever_is_stored_first(store):
    await store.write([accepted(5, [10], [5.0])])
    await store.write([accepted(4, [10], [4.0])])

    assert await rows(store) == [(10, 5.0)]


async def test_batches_of_one_transaction_have_their_own_receipts(store):
    one, two = accepted(1, [10, 20], [1.0, 2.0]), accepted(2, [20, 30], [2.5, 3.0])

    assert await store.write([one, two]) == [
        Receipt(one.batch.batch_id, 2, 0, 0),
        Receipt(two.batch.batch_id, 1, 0, 1),
    ]
    assert await store.receipts([two.batch.batch_id, uuid4()]) == [
        Receipt(two.batch.batch_id, 1, 0, 1)
    ]


async def test_a_stream_knows_how_much_it_holds_and_since_when(store):
    await store.write([accepted(1, [10, 20], [1.0, 2.0]), accepted(2, [5], [0.5])])

    record = await store.find(ALTITUDE.name)

    assert (record.stream, record.count) == (replace(ALTITUDE, kind="gauge"), 3)
    assert (record.first_us, record.last_us) == (5, 20)


async def test_an_unknown_stream_is_not_found(store):
    name = StreamName("no", "such", "stream")
    with pytest.raises(NotFoundError, match="no/such/stream"):
        await store.find(name)
    with pytest.raises(NotFoundError, match="no/such/stream"):
        await store.read(name, *ALWAYS)


async def test_streams_are_listed_by_name_prefix_and_page(store):
    await store.write([accepted(1, [1], [1.0], stream) for stream in (SPEED, ALTITUDE)])

    async def names(*args, **kwargs):
        return [str(r.stream.name) for r in await store.streams(*args, **kwargs)]

    assert await names("orbit/") == ["orbit/sat-7/altitude_km", "orbit/sat-7/speed_km_s"]
    assert await names("orbit/sat-7/s") == ["orbit/sat-7/speed_km_s"]
    assert await names(after="orbit/sat-7/altitude_km") == ["orbit/sat-7/speed_km_s"]
    assert await names(limit=1) == ["orbit/sat-7/altitude_km"]
    assert await names("orbit/_") == []


async def test_a_look_says_at_most_how_many_samples_a_read_would_decode(store):
    await store.write([accepted(1, range(100), np.arange(100.0))])

    assert (await store.look(ALTITUDE.name, 0, 100, 0)).count == 100
    assert (await store.look(ALTITUDE.name, 200, 300, 0)).count == 0
    assert (await store.look(ALTITUDE.name, 10, 20, 0)).count >= 10


async def test_a_look_brings_few_samples_along_and_counts_many(store):
    await store.write([accepted(1, range(40_000), np.arange(40_000.0))])
    record = await store.find(ALTITUDE.name)

    few = await store.look(ALTITUDE.name, 10, 30_000, 40_000)
    assert (few.record, few.count >= 29_990) == (record, True)
    assert few.samples.times_us.tolist() == list(range(10, 30_000))
    assert few.samples.values.tolist() == list(range(10, 30_000))

    many = await store.look(ALTITUDE.name, 0, 40_000, 39_999)
    assert (many.record, many.count, many.samples) == (record, 40_000, None)

    none = await store.look(ALTITUDE.name, 50_000, 60_000, 0)
    assert (none.record, none.count, len(none.samples)) == (record, 0, 0)


async def test_a_look_at_an_unknown_stream_is_not_found(store):
    await store.write([accepted(1, [1], [1.0])])
    with pytest.raises(NotFoundError):
        await store.look(SPEED.name, 0, 10, 10)


async def test_the_last_value_before_an_instant_is_found_in_the_middle_and_behind_the_end(store):
    await store.write([accepted(1, np.arange(40_000) * 10, np.arange(40_000.0))])

    for time_us, value in [(1, 0.0), (10, 0.0), (11, 1.0), (199_999, 19_999.0), (10**9, 39_999.0)]:
        assert await store.last_before(ALTITUDE.name, time_us) == value
    assert await store.last_before(ALTITUDE.name, 0) is None
    with pytest.raises(NotFoundError):
        await store.last_before(SPEED.name, 0)


async def test_the_first_and_the_last_instant_are_kept_and_read(store):
    await store.write([accepted(1, [FIRST_US, LAST_US], [1.0, 2.0])])

    everything = await store.look(ALTITUDE.name, FIRST_US, LAST_US + 1, 10)
    assert everything.samples.times_us.tolist() == [FIRST_US, LAST_US]
    assert await rows(store, start_us=LAST_US, end_us=LAST_US + 1) == [(LAST_US, 2.0)]
    assert await store.last_before(ALTITUDE.name, LAST_US) == 1.0


def told(summarised):
    """Parts of a summarised range in order of time: a chunk's span and moments, or samples."""
    before, after = summarised.before, summarised.after
    spans = [(c.start_us, c.end_us, c.moments) for c in summarised.chunks]
    return before, spans, after


@pytest.mark.parametrize(
    ("start_us", "end_us"),
    [ALWAYS, (0, 60_000), (1, 60_000), (0, 59_999), (9_000, 45_000), (20, 25), (59_999, 10**9)],
)
async def test_whole_chunks_are_summarised_and_the_edges_are_samples(store, start_us, end_us):
    rng = np.random.default_rng(11)
    for version in range(6):
        times = range(version * 10_000, (version + 1) * 10_000)
        await store.write([accepted(version, times, rng.normal(size=10_000))])

    before, spans, after = told(await store.summaries(ALTITUDE.name, start_us, end_us))

    samples = await store.read(ALTITUDE.name, start_us, end_us)
    at = len(before)
    assert samples[:at].times_us.tolist() == before.times_us.tolist()
    assert samples[:at].values.tolist() == before.values.tolist()
    for chunk_start_us, chunk_end_us, moments in spans:
        piece = samples[at : at + moments.count]
        assert (chunk_start_us, chunk_end_us) == (piece.times_us[0], piece.times_us[-1])
        assert moments.summary() == Moments(piece.values).summary()
        at += moments.count
    assert samples[at:].times_us.tolist() == after.times_us.tolist()
    assert samples[at:].values.tolist() == after.values.tolist()
    if (start_us, end_us) == ALWAYS:
        assert (len(before), len(after)) == (0, 0)
    if (start_us, end_us) == (20, 25):
        assert spans == []


async def test_a_range_without_samples_has_no_summaries(store):
    await store.write([accepted(1, [10, 20], [1.0, 2.0])])

    for start_us, end_us in ((30, 40), (11, 20), (20, 10)):
        before, spans, after = told(await store.summaries(ALTITUDE.name, start_us, end_us))
        assert (len(before), spans, len(after)) == (0, [], 0)


async def test_summaries_of_an_unknown_stream_are_not_found(store):
    with pytest.raises(NotFoundError, match="no/such/stream"):
        await store.summaries(StreamName("no", "such", "stream"), *ALWAYS)


async def test_any_history_of_batches_reads_as_the_latest_version_of_each_instant(store):
    rng = np.random.default_rng(7)
    history = []
    for version in range(30):
        start, n = int(rng.integers(0, 40_000)), int(rng.integers(1, 6_000))
        times = rng.permutation(np.arange(start, start + n * 3, 3))
        history.append(accepted(version, times, rng.normal(size=n).round(3)))
    expected = {}
    for one in history:
        samples = one.batch.series[0].samples
        expected.update(zip(samples.times_us.tolist(), samples.values.tolist(), strict=True))

    arrival = [history[i] for i in rng.permutation(len(history))]
    receipts = []
    while arrival:
        group, arrival = arrival[:4], arrival[4:]
        receipts += await store.write(group)

    assert await rows(store) == sorted(expected.items())
    assert sum(receipt.stored for receipt in receipts) == len(expected)
    assert (await store.find(ALTITUDE.name)).count == len(expected)


@pytest.mark.integration
async def test_concurrent_writers_of_the_same_streams_lose_nothing(postgres):
    store = PostgresTelemetryStore(postgres)
    batches = [
        accepted(i, range(i * 50, i * 50 + 100), np.full(100, float(i)), stream)
        for i in range(10)
        for stream in (ALTITUDE, SPEED)
    ]

    await asyncio.gather(*(store.write([a, b]) for a in batches[:5] for b in batches[15:]))
    await asyncio.gather(*(store.write([batch]) for batch in [*batches, *batches]))

    for stream in (ALTITUDE, SPEED):
        expected = [(t, float(min(t // 50, 9))) for t in range(550)]
        assert await rows(store, stream) == expected


@pytest.mark.integration
async def test_chunks_in_postgres_do_not_overlap_and_carry_the_moments_of_their_values(
    postgres,
):
    store = PostgresTelemetryStore(postgres)
    rng = np.random.default_rng(3)
    for version in range(40):
        times = rng.integers(0, 30_000, 700)
        await store.write([accepted(version, times, rng.normal(size=700))])

    chunks = await postgres.pool.fetch("SELECT * FROM chunk ORDER BY start_us")

    assert all(a["end_us"] < b["start_us"] for a, b in itertools.pairwise(chunks))
    for chunk in chunks:
        values = (await store.read(ALTITUDE.name, chunk["start_us"], chunk["end_us"] + 1)).values
        assert len(values) == chunk["count"]
        assert values.mean() == pytest.approx(chunk["mean"], abs=1e-12)
        assert ((values - values.mean()) ** 2).sum() == pytest.approx(chunk["m2"])
        assert (values.min(), values.max()) == (chunk["minimum"], chunk["maximum"])
        assert (values[0], values[-1]) == (chunk["first_value"], chunk["last_value"])
