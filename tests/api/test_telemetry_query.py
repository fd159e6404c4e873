"""Questions about a stream: the points, the statistics, the anomalies, and what they cost."""

import asyncio
import statistics

import numpy as np
import pytest

from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.runtime.settings import Settings

START, END = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"
START_US = 1_767_225_600_000_000
STREAM = "orbit/sat-7/altitude_km"


def question(selection: str, *, arguments: str = "", start: str = START, end: str = END) -> str:
    time_range = f'{{start: "{start}", end: "{end}"}}'
    field = f'telemetry(stream: "{STREAM}", range: {time_range}{arguments})'
    return f"{{ {field} {{ {selection} }} }}"


def only_error(answer: dict) -> dict:
    (error,) = answer["errors"]
    return error


class CountingStore(MemoryTelemetryStore):
    """Remembers what was asked of it."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[str] = []

    async def find(self, name):
        self.calls.append("find")
        return await super().find(name)

    async def count(self, name, start_us, end_us):
        self.calls.append("count")
        return await super().count(name, start_us, end_us)

    async def read(self, name, start_us, end_us):
        self.calls.append("read")
        await asyncio.sleep(0)  # other fields get their turn, as with a store far away
        return await super().read(name, start_us, end_us)


@pytest.mark.usefixtures("altitude")
class TestPoints:
    async def test_without_downsampling_the_samples_come_back_in_columns(self, ask, altitude):
        selection = "scanned returned resolution columns { times epochUs values counts }"
        answer = await ask(question(selection))
        telemetry = answer["data"]["telemetry"]
        assert telemetry["scanned"] == telemetry["returned"] == 3000
        assert telemetry["resolution"] is None
        columns = telemetry["columns"]
        assert columns["epochUs"] == altitude.times_us.tolist()
        assert columns["values"] == altitude.values.tolist()
        assert columns["counts"] == [1] * 3000
        assert columns["times"][:2] == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]

    async def test_a_range_has_its_start_and_not_its_end(self, ask):
        selection = "columns { times }"
        answer = await ask(question(selection, end="2026-01-01T00:00:02Z"))
        times = answer["data"]["telemetry"]["columns"]["times"]
        assert times == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z"]

    @pytest.mark.parametrize("downsample", ['{width: "5m"}', "{buckets: 12}"])
    async def test_buckets_hold_means_and_a_gap_is_null(self, ask, altitude, downsample):
        selection = "resolution scanned returned columns { times values counts }"
        answer = await ask(question(selection, arguments=f", downsample: {downsample}"))
        telemetry = answer["data"]["telemetry"]
        assert (telemetry["scanned"], telemetry["returned"]) == (3000, 12)
        assert telemetry["resolution"] == "5m"
        columns = telemetry["columns"]
        assert columns["times"][1] == "2026-01-01T00:05:00Z"
        assert columns["counts"] == [300] * 4 + [0] * 2 + [300] * 6
        assert columns["values"][4:6] == [None, None]
        assert columns["values"][1] == pytest.approx(altitude.values[300:600].mean(), rel=1e-14)

    @pytest.mark.parametrize(
        ("function", "expected"),
        [
            ("MIN", lambda v: v.min()),
            ("MAX", lambda v: v.max()),
            ("MEDIAN", np.median),
            ("LAST", lambda v: v[-1]),
        ],
    )
    async def test_a_bucket_says_what_was_asked_of_its_samples(
        self, ask, altitude, function, expected
    ):
        arguments = f', downsample: {{width: "5m", function: {function}}}'
        answer = await ask(question("columns { values }", arguments=arguments))
        values = answer["data"]["telemetry"]["columns"]["values"]
        assert values[0] == pytest.approx(expected(altitude.values[:300]), rel=1e-14)

    async def test_a_range_without_samples_is_an_answer_too(self, ask):
        selection = """scanned returned columns { times } anomalies { total values }
            statistics { count mean variance min first percentiles(ranks: [50]) { value } }"""
        answer = await ask(
            question(selection, start="2020-01-01T00:00:00Z", end="2020-01-02T00:00:00Z")
        )
        assert answer["data"]["telemetry"] == {
            "scanned": 0,
            "returned": 0,
            "columns": {"times": []},
            "anomalies": {"total": 0, "values": []},
            "statistics": {
                "count": 0,
                "mean": None,
                "variance": None,
                "min": None,
                "first": None,
                "percentiles": [{"value": None}],
            },
        }


@pytest.mark.usefixtures("altitude")
class TestStatistics:
    async def test_they_summarise_all_samples_and_not_the_points(self, ask, altitude):
        selection = "statistics { count mean variance stddev min max first last }"
        answer = await ask(question(selection, arguments=", downsample: {buckets: 3}"))
        found = answer["data"]["telemetry"]["statistics"]
        values = altitude.values.tolist()
        assert found["count"] == 3000
        assert found["mean"] == pytest.approx(statistics.fmean(values), rel=1e-14)
        assert found["variance"] == pytest.approx(statistics.variance(values), rel=1e-12)
        assert found["stddev"] == pytest.approx(statistics.stdev(values), rel=1e-12)
        assert (found["min"], found["max"]) == (min(values), max(values))
        assert (found["first"], found["last"]) == (values[0], values[-1])

    async def test_percentiles_are_values_of_the_nearest_rank(self, ask, altitude):
        answer = await ask(question("statistics { percentiles { rank value } }"))
        found = answer["data"]["telemetry"]["statistics"]["percentiles"]
        ordered = np.sort(altitude.values)
        assert [one["rank"] for one in found] == [5, 25, 50, 75, 95, 99]
        assert [one["value"] for one in found] == [
            ordered[int(np.ceil(rank / 100 * 3000)) - 1] for rank in (5, 25, 50, 75, 95, 99)
        ]

    async def test_anomalies_are_samples_far_from_the_mean(self, ask, altitude):
        answer = await ask(question("anomalies { total times epochUs values scores }"))
        found = answer["data"]["telemetry"]["anomalies"]
        deviation = (450 - altitude.values.mean()) / altitude.values.std(ddof=1)
        assert found["total"] == 1
        assert found["times"] == ["2026-01-01T00:01:40Z"]
        assert found["epochUs"] == [START_US + 100_000_000]
        assert found["values"] == [450]
        assert np.abs(found["scores"]) == pytest.approx([deviation], rel=1e-9)

    async def test_anomalies_are_counted_beyond_those_that_are_listed(self, ask):
        answer = await ask(question("anomalies(threshold: 0.5, first: 2) { total values }"))
        found = answer["data"]["telemetry"]["anomalies"]
        assert found["total"] > 100
        assert len(found["values"]) == 2


@pytest.mark.usefixtures("altitude")
class TestBadQuestions:
    @pytest.mark.parametrize(
        ("arguments", "selection", "field"),
        [
            (", downsample: {}", "returned", "downsample"),
            (', downsample: {buckets: 5, width: "1s"}', "returned", "downsample"),
            (", downsample: {buckets: 1}", "returned", "downsample.buckets"),
            ("", "anomalies(threshold: -1) { total }", "anomalies.threshold"),
            ("", "anomalies(threshold: 1e400) { total }", "anomalies.threshold"),
            ("", "anomalies(first: -1) { total }", "anomalies.first"),
            (
                "",
                "statistics { percentiles(ranks: [50, 101]) { value } }",
                "percentiles.ranks[1]",
            ),
        ],
    )
    async def test_the_place_is_named(self, ask, arguments, selection, field):
        error = only_error(await ask(question(selection, arguments=arguments)))
        assert error["extensions"]["code"] == "BAD_INPUT"
        assert error["extensions"].get("field") == field

    async def test_an_inverted_range_is_refused(self, ask):
        error = only_error(await ask(question("scanned", start=END, end=START)))
        assert error["extensions"]["field"] == "range.end"
        assert "a time after range.start, 2026-01-01T01:00:00Z" in error["message"]
        assert error["path"] == ["telemetry"]

    async def test_an_empty_range_is_refused(self, ask):
        error = only_error(await ask(question("scanned", end=START)))
        assert error["extensions"]["field"] == "range.end"

    async def test_an_unknown_stream_is_named(self, ask):
        query = question("scanned").replace("sat-7", "sat-8")
        error = only_error(await ask(query))
        assert error["extensions"] == {
            "code": "NOT_FOUND",
            "kind": "stream",
            "name": "orbit/sat-8/altitude_km",
        }

    async def test_a_malformed_stream_name_is_refused(self, ask):
        error = only_error(await ask(question("scanned").replace("sat-7/", "")))
        assert error["extensions"]["code"] == "BAD_INPUT"
        assert error["extensions"]["field"] == "stream"

    async def test_a_time_without_an_offset_in_the_document_is_located(self, ask):
        error = only_error(await ask(question("scanned", end="2026-01-01T01:00:00")))
        assert error["extensions"]["code"] == "BAD_INPUT"
        assert "with an offset" in error["extensions"]["expected"]
        assert error["locations"][0]["line"] == 1

    async def test_a_bad_time_in_a_variable_is_named(self, ask):
        query = """query ($range: TimeRange!) {
            telemetry(stream: "a/b/c", range: $range) { scanned } }"""
        answer = await ask(query, range={"start": START, "end": "yesterday"})
        error = only_error(answer)
        assert "'$range'" in error["message"]
        assert "'range.end'" in error["message"]
        assert error["extensions"]["code"] == "BAD_INPUT"
        assert "data" not in answer


class TestLimits:
    async def test_too_many_points_are_refused_with_a_way_out(self, platform, altitude):
        settings = Settings(max_answer_points=2999)
        async with platform.client(settings=settings) as client:
            response = await client.post("/graphql", json={"query": question("columns { values }")})
            error = only_error(response.json())
            assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
            assert (error["extensions"]["limit"], error["extensions"]["asked"]) == (2999, 3000)
            assert "downsample: {buckets: 1000}" in error["message"]

            query = question("columns { values }", arguments=", downsample: {buckets: 1000}")
            response = await client.post("/graphql", json={"query": query})
            assert 500 < len(response.json()["data"]["telemetry"]["columns"]["values"]) <= 1000

    async def test_statistics_need_no_points_and_are_not_limited_by_them(self, platform, altitude):
        async with platform.client(settings=Settings(max_answer_points=10)) as client:
            query = question("statistics { count }")
            response = await client.post("/graphql", json={"query": query})
            assert response.json()["data"]["telemetry"]["statistics"]["count"] == 3000

    @pytest.mark.parametrize("downsample", ["{buckets: 2147483647}", '{width: "1us"}'])
    async def test_too_many_buckets_are_refused(self, ask, altitude, downsample):
        query = question("columns { values }", arguments=f", downsample: {downsample}")
        error = only_error(await ask(query))
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"

    async def test_samples_are_counted_before_they_are_read(self, platform):
        platform.store = store = CountingStore()
        platform.__post_init__()
        await platform.keep(STREAM, START_US + np.arange(1000), np.zeros(1000))
        async with platform.client(settings=Settings(max_query_samples=999)) as client:
            response = await client.post("/graphql", json={"query": question("scanned")})
            error = only_error(response.json())
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert store.calls == ["find", "count"]

    async def test_the_limit_holds_for_all_fields_of_a_request_together(self, platform, altitude):
        one = question("scanned").strip("{ }") + "}"
        two = f"{{ a: {one} b: {one} }}"
        async with platform.client(settings=Settings(max_query_samples=5999)) as client:
            response = await client.post("/graphql", json={"query": two})
            assert only_error(response.json())["extensions"]["code"] == "LIMIT_EXCEEDED"
        async with platform.client(settings=Settings(max_query_samples=6000)) as client:
            response = await client.post("/graphql", json={"query": two})
            assert response.json()["data"]["b"] == {"scanned": 3000}


class TestCost:
    async def test_samples_are_read_once_however_many_fields_need_them(self, platform):
        platform.store = store = CountingStore()
        platform.__post_init__()
        await platform.keep(STREAM, START_US + np.arange(100), np.arange(100.0))
        selection = """scanned returned columns { values } anomalies { total }
            statistics { mean percentiles { value } } far: anomalies(threshold: 9) { total }"""
        async with platform.client() as client:
            response = await client.post("/graphql", json={"query": question(selection)})
        assert "errors" not in response.json()
        assert store.calls == ["find", "count", "read"]

    async def test_nothing_is_read_for_a_question_about_the_stream_alone(self, platform):
        platform.store = store = CountingStore()
        platform.__post_init__()
        await platform.keep(STREAM, [START_US], [1.0])
        async with platform.client() as client:
            query = question("resolution stream { unit count }")
            response = await client.post("/graphql", json={"query": query})
        assert response.json()["data"]["telemetry"]["stream"] == {"unit": "km", "count": 1}
        assert store.calls == ["find"]

    async def test_long_work_leaves_the_event_loop_free(self, platform):
        n = 2_000_000
        for part in range(0, n, 250_000):
            times = START_US + np.arange(part, part + 250_000)
            await platform.keep(STREAM, times, np.sin(times / 1e4))
        turns = 0

        async def turn():
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        async with platform.client() as client:
            turning = asyncio.create_task(turn())
            query = question("statistics { percentiles { value } } anomalies { total }")
            response = await client.post("/graphql", json={"query": query})
            turning.cancel()
        assert "errors" not in response.json()
        assert turns > 100
