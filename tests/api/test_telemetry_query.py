"""Questions about a stream: the points, the statistics, the anomalies, and what they cost."""

import asyncio
import statistics

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.instants import FIRST_US, LAST_US, parse_us, range_end, to_iso
from aetherops.runtime.settings import Settings

START, END = "2026-01-01T00:00:00Z", "2026-01-01T01:00:00Z"
START_US = 1_767_225_600_000_000
STREAM = "orbit/sat-7/altitude_km"
# More samples than come along with the first look at a range.
MANY, LOOK = 200_000, "look at 131072"


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

    async def look(self, name, start_us, end_us, at_most):
        self.calls.append(f"look at {at_most}")
        return await super().look(name, start_us, end_us, at_most)

    async def read(self, name, start_us, end_us):
        self.calls.append("read")
        await asyncio.sleep(0)  # other fields get their turn, as with a store far away
        return await super().read(name, start_us, end_us)


class TestStates:
    """A state is its last value until the next change, unless a function is asked for."""

    @pytest.fixture(autouse=True)
    async def changes(self, platform):
        minutes = np.array([-30, 2, 3, 40])
        times_us = START_US + minutes * 60_000_000
        await platform.keep(STREAM, times_us, [7.0, 0.0, 1.0, 2.0], unit="", kind="state")

    async def ask_values(self, ask, downsample, **span):
        selection = "columns { values counts }"
        arguments = f", downsample: {{{downsample}}}"
        answer = await ask(question(selection, arguments=arguments, **span))
        columns = answer["data"]["telemetry"]["columns"]
        return columns["values"], columns["counts"]

    async def test_its_last_value_is_held_also_from_before_the_range(self, ask):
        values, counts = await self.ask_values(ask, 'width: "10m"')
        assert values == [1, 1, 1, 1, 2, 2]
        assert counts == [2, 0, 0, 0, 1, 0]
        values, counts = await self.ask_values(ask, 'width: "1m"', end="2026-01-01T00:04:00Z")
        assert (values, counts) == ([7, 7, 0, 1], [0, 0, 1, 1])

    async def test_before_the_first_value_nothing_holds(self, ask):
        span = {"start": "2025-12-31T23:00:00Z", "end": "2026-01-01T00:00:00Z"}
        values, _ = await self.ask_values(ask, 'width: "20m", function: null', **span)
        assert values == [None, 7, 7]

    @pytest.mark.parametrize(("function", "value"), [("MEAN", 0.5), ("LAST", 1.0)])
    async def test_a_function_that_is_asked_for_is_taken_as_it_is(self, ask, function, value):
        values, _ = await self.ask_values(ask, f'width: "20m", function: {function}')
        assert values == [value, None, 2]


class TestEdgesOfTime:
    """Whatever instant may be stored can be asked about."""

    FIRST, LAST = "0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z"

    @pytest.fixture(autouse=True)
    async def ends(self, platform):
        await platform.keep(STREAM, [FIRST_US, START_US, LAST_US], [1.0, 2.0, 3.0])

    async def test_all_of_time_is_a_range(self, ask):
        selection = "scanned columns { times epochUs values counts }"
        arguments = ", downsample: {buckets: 200}"
        asked = question(selection, arguments=arguments, start=self.FIRST, end=self.LAST)
        telemetry = (await ask(asked))["data"]["telemetry"]
        columns = telemetry["columns"]
        assert telemetry["scanned"] == sum(columns["counts"]) == 3
        assert (columns["times"][0], columns["epochUs"][0]) == (self.FIRST, FIRST_US)
        assert (columns["values"][0], columns["values"][-1]) == (1.0, 3.0)

    async def test_the_last_instant_is_a_range_of_its_own(self, ask):
        asked = question("columns { times values }", start=self.LAST, end=self.LAST)
        columns = (await ask(asked))["data"]["telemetry"]["columns"]
        assert columns == {"times": [self.LAST], "values": [3.0]}

    @given(st.data())
    @settings(
        suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
    )
    async def test_a_bucket_begins_where_time_does_whatever_its_width(self, ask, data):
        near = st.integers(0, 3 * 86_400_000_000)
        start_us = data.draw(near.map(lambda us: FIRST_US + us) | near.map(lambda us: LAST_US - us))
        end_us = data.draw(st.integers(start_us, min(start_us + 10**14, LAST_US)))
        downsample = data.draw(
            st.integers(2, 5_000).map(lambda n: f"{{buckets: {n}}}")
            | st.integers(1, 3_650_000).map(lambda n: f'{{width: "{n}d"}}')
        )
        asked = question(
            "columns { times epochUs counts }",
            arguments=f", downsample: {downsample}",
            start=to_iso(start_us),
            end=to_iso(end_us),
        )
        answer = await ask(asked)
        if end_us == start_us != LAST_US:
            assert only_error(answer)["extensions"]["field"] == "range.end"
            return
        columns = answer["data"]["telemetry"]["columns"]
        assert [parse_us(time) for time in columns["times"]] == columns["epochUs"]
        assert columns["epochUs"] == sorted(set(columns["epochUs"]))
        inside = [us for us in (FIRST_US, LAST_US) if start_us <= us < range_end(end_us)]
        assert sum(columns["counts"]) == len(inside)


class TestLargestDoubles:
    async def test_a_variance_that_no_double_holds_is_null_and_all_else_is_there(
        self, ask, platform
    ):
        await platform.keep(STREAM, START_US + np.arange(4), [1e308, -1e308, 1e308, 1.5e308])
        selection = """statistics { mean variance stddev min max }
            anomalies(threshold: 1) { epochUs values scores }
            columns { values }"""
        answer = await ask(question(selection, arguments=', downsample: {width: "1h"}'))
        assert "errors" not in answer
        telemetry = answer["data"]["telemetry"]
        numbers = telemetry["statistics"]
        assert numbers["variance"] is None
        expected = statistics.stdev([1.0, -1.0, 1.0, 1.5]) * 1e308
        assert numbers["stddev"] == pytest.approx(expected, rel=1e-14)
        assert (numbers["min"], numbers["max"]) == (-1e308, 1.5e308)
        assert telemetry["columns"]["values"] == [numbers["mean"]]
        assert telemetry["anomalies"] == {
            "epochUs": [START_US + 1],
            "values": [-1e308],
            "scores": [pytest.approx(1.625e308 / expected, rel=1e-14)],
        }

    async def test_a_median_of_two_large_values_lies_between_them(self, ask, platform):
        await platform.keep(STREAM, START_US + np.arange(2), [1.6e308, 1.7e308])
        arguments = ', downsample: {width: "1h", function: MEDIAN}'
        answer = await ask(question("columns { values }", arguments=arguments))
        assert answer["data"]["telemetry"]["columns"]["values"] == [pytest.approx(1.65e308)]


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
        await platform.keep(STREAM, START_US + np.arange(MANY), np.zeros(MANY))
        async with platform.client(settings=Settings(max_query_samples=MANY - 1)) as client:
            response = await client.post("/graphql", json={"query": question("scanned")})
            error = only_error(response.json())
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert store.calls == ["look at 0"]

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
        await platform.keep(STREAM, START_US + np.arange(MANY), np.arange(float(MANY)))
        selection = """scanned returned columns { values } anomalies { total }
            statistics { mean percentiles { value } } far: anomalies(threshold: 9) { total }"""
        async with platform.client() as client:
            response = await client.post(
                "/graphql",
                json={"query": question(selection, arguments=", downsample: {buckets: 9}")},
            )
        assert "errors" not in response.json()
        assert store.calls == [LOOK, "read"]

    async def test_nothing_is_read_for_a_question_about_the_stream_alone(self, platform):
        platform.store = store = CountingStore()
        platform.__post_init__()
        await platform.keep(STREAM, [START_US], [1.0])
        async with platform.client() as client:
            query = question("resolution stream { unit count }")
            response = await client.post("/graphql", json={"query": query})
        assert response.json()["data"]["telemetry"]["stream"] == {"unit": "km", "count": 1}
        assert store.calls == ["look at 0"]

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
