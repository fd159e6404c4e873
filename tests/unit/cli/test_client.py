"""The client: batches arrive once, whatever happens on the way; answers are read or refused."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import numpy as np
import pytest

from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import AcceptedBatch
from aetherops.archive.stream import Stream, StreamName
from aetherops.cli.client import Client
from aetherops.cli.connection import Connection
from aetherops.cli.ingest.sending.receipts import ReceiptFollower
from aetherops.cli.ingest.sending.upload import BATCH_SAMPLES, Upload
from aetherops.cli.outcome import FaultFoundError, ServerBusyError, ServerRefusedError
from aetherops.cli.query.answer import csv_text, json_text, plot_text, summary_text
from aetherops.cli.query.catalogue import find_stream
from aetherops.cli.query.command import (
    QueryAnswer,
    Question,
    UnknownStreamError,
    ask_client,
    range_of,
)
from aetherops.cli.query.raw import sample_pages
from aetherops.errors import InvalidInputError, UnreachableError
from aetherops.instants import FIRST_US, LAST_US, to_iso

STREAM = Stream(StreamName("test", "cli", "value"), "V")
T0_US = 1_769_860_800_000_000


def client_of(platform, patience_s: float = 20.0) -> Client:
    return Client(platform.connection, patience_s=patience_s, transport=platform.transport)


def samples_of(values: list[float], start_us: int = T0_US, step_us: int = 1_000_000) -> Samples:
    return Samples.of(start_us + step_us * np.arange(len(values)), values)


def batch_of(values: list[float]) -> SampleBatch:
    return SampleBatch(uuid4(), (Series(STREAM, samples_of(values)),))


class TestSend:
    async def test_a_batch_whose_answer_is_lost_is_sent_again_under_its_id(self, platform) -> None:
        platform.transport.losses = 2
        batch = batch_of([1.0, 2.0])
        async with client_of(platform) as client:
            await client.send(batch)
            (receipt,) = await client.receipts([batch.batch_id])
        assert [b.batch_id for b in platform.intake.accepted] == [batch.batch_id] * 3
        assert (receipt.stored, receipt.duplicates) == (2, 0)

    async def test_a_server_that_cannot_take_it_now_is_asked_again(self, platform) -> None:
        platform.intake.refusals = 1
        async with client_of(platform) as client:
            await client.send(batch_of([1.0]))
        assert len(platform.intake.accepted) == 1

    async def test_patience_ends_with_the_servers_words(self, platform) -> None:
        platform.intake.refusals = 10**6
        async with client_of(platform, patience_s=0.2) as client:
            with pytest.raises(ServerBusyError, match="nats is unavailable"):
                await client.send(batch_of([1.0]))

    async def test_a_wrong_token_is_refused_at_once(self, platform) -> None:
        platform.connection = replace(platform.connection, token="wrong")
        async with client_of(platform) as client:
            with pytest.raises(ServerRefusedError, match="401"):
                await client.send(batch_of([1.0]))

    async def test_nobody_at_the_address_is_told_in_one_line(self) -> None:
        async with Client(Connection("http://127.0.0.1:1", "token")) as client:
            with pytest.raises(UnreachableError, match="cannot be reached") as caught:
                await client.receipts([])
        assert "\n" not in str(caught.value)


class TestUpload:
    async def test_samples_travel_in_full_batches_and_are_counted(self, platform) -> None:
        values = [float(i) for i in range(3 * BATCH_SAMPLES + 5)]
        async with client_of(platform) as client, Upload(client, STREAM) as upload:
            for at in range(0, len(values), 5_000):
                part = values[at : at + 5_000]
                await upload.add(samples_of(part, T0_US + at * 1_000_000))
            stored = await upload.finish()
        assert sorted(map(len, platform.intake.accepted)) == [5, *[BATCH_SAMPLES] * 3]
        assert (stored.stored, stored.duplicates, stored.corrected) == (len(values), 0, 0)
        kept = await platform.store.read(STREAM.name, 0, 2**62)
        assert kept.values.tolist() == values

    async def test_of_two_values_at_one_instant_the_later_in_the_file_counts(
        self, platform
    ) -> None:
        """Every batch repeats the instants of the one before: the order must hold."""
        rounds = 12
        async with client_of(platform) as client, Upload(client, STREAM) as upload:
            for i in range(rounds):
                platform.transport.losses = i % 3 == 0
                await upload.add(samples_of([float(i)] * BATCH_SAMPLES))
            stored = await upload.finish()
        assert stored.stored == BATCH_SAMPLES
        assert stored.corrected == (rounds - 1) * BATCH_SAMPLES
        kept = await platform.store.read(STREAM.name, 0, 2**62)
        assert set(kept.values.tolist()) == {float(rounds - 1)}

    async def test_an_upload_reports_what_is_stored(self, platform) -> None:
        reports: list[int] = []
        async with (
            client_of(platform) as client,
            Upload(client, STREAM, lambda stored: reports.append(stored.total)) as upload,
        ):
            await upload.add(samples_of([1.0, 2.0]))
            await upload.finish()
        assert reports[-1] == 2

    async def test_a_refused_batch_ends_the_upload(self, platform) -> None:
        platform.connection = replace(platform.connection, token="wrong")
        async with client_of(platform) as client, Upload(client, STREAM) as upload:
            await upload.add(samples_of([1.0]))
            with pytest.raises(ServerRefusedError):
                await upload.finish()

    async def test_a_batch_that_is_set_aside_is_settled_and_its_reason_told(self, platform) -> None:
        platform.intake.stores = False  # both are accepted before either is stored
        first, second = (
            SampleBatch(uuid4(), (Series(Stream(STREAM.name, unit), samples_of(values)),))
            for unit, values in (("V", [1.0]), ("mV", [2.0, 3.0]))
        )
        async with client_of(platform) as client:
            follower = ReceiptFollower(client, lambda _: None)
            for batch in (first, second):
                await client.send(batch)
                follower.add(batch.batch_id, len(batch))
            await platform.store.write([AcceptedBatch(first, 1), AcceptedBatch(second, 2)])
            follower.close()
            await follower.run()

        stored = follower.stored
        assert (stored.stored, stored.refused) == (1, 2)
        assert [reason.split(":")[0] for reason in stored.reasons] == [
            "test/cli/value has the unit 'V', got 'mV'"
        ]

    async def test_accepted_batches_that_never_get_stored_are_told(self, platform) -> None:
        platform.intake.stores = False
        batch = batch_of([1.0, 2.0])
        async with client_of(platform) as client:
            follower = ReceiptFollower(client, lambda _: None, stalled_s=0.1)
            await client.send(batch)
            follower.add(batch.batch_id, len(batch))
            follower.close()
            with pytest.raises(ServerBusyError, match="2 samples are accepted and not stored"):
                await follower.run()


class TestServersLimit:
    async def test_batches_and_questions_follow_the_limit_that_the_server_tells(
        self, small_platform
    ) -> None:
        values = [float(i) for i in range(3 * BATCH_SAMPLES)]
        async with client_of(small_platform) as client, Upload(client, STREAM) as upload:
            await upload.add(samples_of(values))
            stored = await upload.finish()
        assert stored.stored == len(values)
        assert 100 < max(map(len, small_platform.intake.accepted)) <= 256
        kept = await small_platform.store.read(STREAM.name, 0, 2**62)
        assert kept.values.tolist() == values

    async def test_of_two_values_at_one_instant_the_later_still_counts(
        self, small_platform
    ) -> None:
        async with client_of(small_platform) as client, Upload(client, STREAM) as upload:
            for i in range(4):
                await upload.add(samples_of([float(i)] * 2_000))
            await upload.finish()
        kept = await small_platform.store.read(STREAM.name, 0, 2**62)
        assert set(kept.values.tolist()) == {3.0}

    async def test_many_streams_share_batches(self, platform) -> None:
        streams = [replace(STREAM, name=StreamName("test", str(i), "v")) for i in range(30)]
        async with client_of(platform) as client, Upload(client) as upload:
            for part in range(3):
                for stream in streams:
                    await upload.add(samples_of([1.0] * 400, T0_US + part * 10**9), stream)
            stored = await upload.finish()
        assert stored.stored == 3 * 30 * 400
        assert max(map(len, platform.intake.accepted)) == BATCH_SAMPLES
        assert len(platform.intake.accepted) == 5


def question(stream: str = str(STREAM.name), **changes: object) -> Question:
    asked = Question(stream, None, None, buckets=4, function="mean", threshold=3.0)
    return replace(asked, **changes)  # type: ignore[arg-type]


class TestQuery:
    @pytest.fixture(autouse=True)
    async def stored(self, platform) -> None:
        await platform.intake.put(batch_of([1.0, 2.0, 3.0, 4.0]))

    async def test_the_default_range_is_the_whole_stream(self, platform) -> None:
        async with client_of(platform) as client:
            answer = await ask_client(question(), client)
        assert answer.telemetry["statistics"]["count"] == 4
        assert answer.telemetry["columns"]["values"] == [1.0, 2.0, 3.0, 4.0]
        assert answer.to_json()["range"] == {
            "start": "2026-01-31T12:00:00Z",
            "end": "2026-01-31T12:00:03.001Z",
        }

    async def test_a_stream_up_to_the_last_instant_there_is_has_an_answer(self, platform) -> None:
        stream = Stream(StreamName("test", "cli", "late"))
        series = Series(stream, Samples.of([LAST_US - 1, LAST_US], [1.0, 2.0]))
        await platform.intake.put(SampleBatch(uuid4(), (series,)))
        async with client_of(platform) as client:
            answer = await ask_client(question(str(stream.name)), client)
        assert answer.telemetry["statistics"]["first"] == 1.0

    async def test_a_range_and_a_function_are_passed_on(self, platform) -> None:
        asked = question(
            start_us=T0_US + 1_000_000, end_us=T0_US + 3_000_000, buckets=2, function="max"
        )
        async with client_of(platform) as client:
            answer = await ask_client(asked, client)
        assert answer.telemetry["columns"]["values"] == [2.0, 3.0]

    @pytest.mark.parametrize(
        ("changes", "option"),
        [
            ({"start_us": T0_US, "end_us": T0_US}, "--end"),
            ({"start_us": T0_US + 10**9}, "--start"),
            ({"end_us": T0_US - 1}, "--end"),
        ],
    )
    async def test_an_empty_range_is_refused(
        self, platform, changes: dict[str, int], option: str
    ) -> None:
        async with client_of(platform) as client:
            with pytest.raises(InvalidInputError, match=option):
                await ask_client(question(**changes), client)

    async def test_an_unknown_stream_lists_close_names(self, platform) -> None:
        async with client_of(platform) as client:
            with pytest.raises(UnknownStreamError, match="did you mean test/cli/value"):
                await ask_client(question("test/cli/valeu"), client)

    async def test_what_the_server_finds_wrong_is_told_in_its_words(self, platform) -> None:
        async with client_of(platform) as client:
            with pytest.raises(FaultFoundError, match="threshold"):
                await ask_client(question(threshold=-1.0), client)

    async def test_a_name_without_three_parts_is_refused(self, platform) -> None:
        async with client_of(platform) as client:
            with pytest.raises(InvalidInputError, match="service/source/parameter"):
                await ask_client(question("no-parts"), client)

    async def test_a_wrong_token_is_refused(self, platform) -> None:
        platform.connection = replace(platform.connection, token="wrong")
        async with client_of(platform) as client:
            with pytest.raises(ServerRefusedError, match="token"):
                await ask_client(question(), client)


class TestEdgesOfTime:
    """A stream that reaches over all of time is asked about, drawn and paged like any other."""

    @pytest.fixture(autouse=True)
    async def stored(self, platform) -> None:
        ends = Samples.of([FIRST_US, T0_US, LAST_US], [1.0, 2.0, 3.0])
        await platform.intake.put(SampleBatch(uuid4(), (Series(STREAM, ends),)))

    @pytest.mark.parametrize("start_us", [None, FIRST_US, LAST_US])
    async def test_all_is_said_and_drawn(self, platform, start_us) -> None:
        async with client_of(platform) as client:
            answer = await ask_client(question(start_us=start_us, end_us=None), client)
        assert answer.telemetry["statistics"]["count"] == (1 if start_us == LAST_US else 3)
        assert answer.to_json()["range"]["end"] == to_iso(LAST_US)
        for write in (summary_text, plot_text, csv_text, json_text):
            assert write(answer)

    async def test_all_samples_come_once(self, platform) -> None:
        async with client_of(platform) as client:
            record = await find_stream(client, str(STREAM.name))
            pages = sample_pages(client, record, range_of(record, None, None))
            times = [us async for page in pages for us in page.times_us.tolist()]
        assert times == [FIRST_US, T0_US, LAST_US]


class TestStates:
    """A state is its last value until the next change, unless another function is asked for."""

    HOUR_US = 3_600_000_000

    @pytest.fixture(autouse=True)
    async def stored(self, platform) -> None:
        changes = Samples.of([T0_US, T0_US + 10 * self.HOUR_US + 1], [1.0, 0.0])
        series = Series(replace(STREAM, unit="", kind="state"), changes)
        await platform.intake.put(SampleBatch(uuid4(), (series,)))

    async def ask(self, platform, **changes: object) -> QueryAnswer:
        given = {"function": None, "buckets": 12, "end_us": T0_US + 12 * self.HOUR_US}
        async with client_of(platform) as client:
            return await ask_client(question(**{**given, **changes}), client)

    async def test_its_last_value_is_held(self, platform) -> None:
        answer = await self.ask(platform)
        assert answer.telemetry["columns"]["values"] == [1.0] * 10 + [0.0, 0.0]
        assert answer.telemetry["columns"]["counts"] == [1, *[0] * 9, 1, 0]

    async def test_a_range_begins_with_what_held_before(self, platform) -> None:
        answer = await self.ask(platform, start_us=T0_US + 9 * self.HOUR_US, buckets=3)
        assert answer.telemetry["columns"]["values"] == [1.0, 0.0, 0.0]

    async def test_before_the_first_value_nothing_holds(self, platform) -> None:
        span = {"start_us": T0_US - 2 * self.HOUR_US, "end_us": T0_US + self.HOUR_US}
        answer = await self.ask(platform, buckets=3, **span)
        assert answer.telemetry["columns"]["values"] == [None, None, 1.0]

    async def test_a_function_that_is_asked_for_is_as_it_is(self, platform) -> None:
        answer = await self.ask(platform, function="mean", buckets=4)
        assert answer.telemetry["columns"]["values"] == [1.0, None, None, 0.0]
        assert "mean" in summary_text(answer)

    async def test_its_text_speaks_of_no_mean(self, platform) -> None:
        answer = await self.ask(platform)
        assert "mean" not in summary_text(answer)
        assert "anomalies" not in summary_text(answer)
        assert "×" not in plot_text(answer)

    async def test_a_gauge_is_reduced_to_means(self, platform) -> None:
        gauge = Stream(StreamName("test", "cli", "gauge"))
        await platform.intake.put(SampleBatch(uuid4(), (Series(gauge, samples_of([1.0, 2.0])),)))
        asked = question(str(gauge.name), function=None, buckets=2, end_us=T0_US + 8_000_000)
        async with client_of(platform) as client:
            answer = await ask_client(asked, client)
        assert answer.telemetry["columns"]["values"] == [1.5, None]
