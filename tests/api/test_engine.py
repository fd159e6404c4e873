"""The GraphQL engine without a transport: a request, an operator and a meter; an answer."""

import asyncio
import gc
import subprocess
import sys
import weakref
from dataclasses import replace

import numpy as np
import pytest
from graphql import OperationType

from aetherops.api.graphql.engine.documents import RefusedDocument
from aetherops.api.graphql.engine.engine import GraphQLEngine, GraphQLRequest
from aetherops.archive.samples import Samples
from aetherops.errors import RefusedError
from aetherops.identity.operators import Operator
from aetherops.resilience import BreakerRegistry
from aetherops.services.breakers import BreakerControl
from aetherops.services.telemetry import SampleRoom, TelemetryQueries
from aetherops.services.workflows import Workflows

START_US = 1_767_225_600_000_000
OPERATOR = Operator("op-7", "Ada", frozenset({"viewer"}))
QUESTION = """query ($end: DateTime!) {
  telemetry(stream: "orbit/sat-7/altitude_km", range: {start: "2026-01-01T00:00:00Z", end: $end}) {
    scanned statistics { SELECTION } } }"""


class Purse:
    """A meter with so much in it."""

    def __init__(self, left=10**6):
        self.left = left

    async def charge(self, cost):
        if cost > self.left:
            raise RefusedError("nothing left")
        self.left -= cost


def engine_over(store):
    control = BreakerControl(BreakerRegistry())
    return GraphQLEngine(
        TelemetryQueries(store), control, Workflows.in_memory(), max_samples=10**6, max_points=10**6
    )


def request(selection="mean", end="2026-01-01T01:00:00Z"):
    return GraphQLRequest(QUESTION.replace("SELECTION", selection), None, {"end": end})


async def test_a_question_is_answered_and_paid_for(platform, altitude):
    engine, purse = engine_over(platform.store), Purse()

    answer = await engine.execute(engine.prepare(request()), OPERATOR, purse)

    telemetry = answer.data["telemetry"]
    assert telemetry["scanned"] == 3_000
    assert telemetry["statistics"]["mean"] == pytest.approx(altitude.values.mean())
    assert (answer.codes, answer.is_refusal) == ([], False)
    assert purse.left == 10**6 - 1


@pytest.mark.usefixtures("altitude")
async def test_a_request_without_means_is_refused_and_not_executed(platform):
    engine = engine_over(platform.store)

    answer = await engine.execute(engine.prepare(request()), OPERATOR, Purse(0))

    assert answer.is_refusal
    assert answer.to_json() == {
        "errors": [{"message": "nothing left", "extensions": {"code": "CONFLICT"}}]
    }


@pytest.mark.usefixtures("altitude")
async def test_a_field_that_fails_has_its_code_and_place(platform):
    # The request costs one unit, and 20,000 samples two.
    await platform.keep("orbit/sat-7/altitude_km", START_US + np.arange(20_000), np.zeros(20_000))
    engine = engine_over(platform.store)

    answer = await engine.execute(engine.prepare(request()), OPERATOR, Purse(2))

    assert set(answer.codes) == {"CONFLICT"}
    assert not answer.is_refusal
    assert {tuple(error["path"]) for error in answer.to_json()["errors"]} <= {
        ("telemetry", "scanned"),
        ("telemetry", "statistics", "mean"),
    }


@pytest.mark.parametrize("query", ["{", "{ nothing }", "{ ...F } fragment F on Query { ...F }"])
def test_a_document_that_cannot_be_executed_is_refused_before_it_costs_anything(platform, query):
    with pytest.raises(RefusedDocument) as refused:
        engine_over(platform.store).prepare(GraphQLRequest(query))
    assert refused.value.errors


@pytest.mark.parametrize(
    ("query", "name", "kind"),
    [
        ("{ __typename }", None, OperationType.QUERY),
        ('mutation { resetCircuitBreaker(name: "x") { name } }', None, OperationType.MUTATION),
        ("query A { __typename } query B { __typename }", "B", OperationType.QUERY),
        ("query A { __typename } query B { __typename }", None, None),
    ],
)
def test_a_transport_can_tell_what_kind_of_operation_it_carries(platform, query, name, kind):
    assert engine_over(platform.store).prepare(GraphQLRequest(query, name)).kind is kind


@pytest.mark.parametrize(
    ("selection", "calls"),
    [
        ("count min max first last", ["look", "summaries"]),
        ("...F __typename } resolution } } fragment F on Statistics { ... { min }", None),
        ("count mean", ["look"]),
        ("... on Statistics { percentiles(ranks: [5]) { value } }", ["look"]),
        ("min } columns { values", ["look"]),
    ],
)
@pytest.mark.usefixtures("altitude")
async def test_extremes_are_answered_without_reading_unless_more_is_asked(
    platform, selection, calls, monkeypatch
):
    seen = []

    def watch(name):
        real = getattr(platform.store, name)

        async def watched(*args):
            seen.append(name)
            return await real(*args)

        monkeypatch.setattr(platform.store, name, watched)

    for name in ("look", "read", "summaries"):
        watch(name)
    text = QUESTION.replace("SELECTION", selection)
    if calls is None:  # the fragment closes the braces itself
        text = text.removesuffix(" } } }") + " }"
    engine = engine_over(platform.store)
    asked = GraphQLRequest(text, None, {"end": "2026-01-01T01:00:00Z"})

    answer = await engine.execute(engine.prepare(asked), OPERATOR, Purse())

    assert answer.codes == []
    assert seen == (calls or ["look", "summaries"])


async def test_an_answer_holds_the_arrays_that_were_read_no_longer_than_itself(
    platform, altitude, monkeypatch
):
    given = []
    look = platform.store.look

    async def watched(*args):
        seen = await look(*args)
        copies = Samples(seen.samples.times_us.copy(), seen.samples.values.copy())
        given.extend(weakref.ref(column) for column in (copies.times_us, copies.values))
        return replace(seen, samples=copies)

    monkeypatch.setattr(platform.store, "look", watched)
    engine = engine_over(platform.store)
    operation = engine.prepare(request("mean } anomalies { total } columns { times values"))
    await engine.execute(operation, OPERATOR, Purse())  # graphql-core warms its caches
    given.clear()
    gc.collect()
    gc.disable()
    try:
        answer = await engine.execute(operation, OPERATOR, Purse())
        assert isinstance(answer.data["telemetry"]["columns"]["values"], np.ndarray)
        del answer
        await asyncio.sleep(0)  # the event loop lets go of what woke this test
        assert [ref() is None for ref in given] == [True, True]
    finally:
        gc.enable()


@pytest.mark.parametrize("purse", [10**6, 3])
async def test_questions_of_one_request_give_each_other_room(platform, purse):
    n = 150_000
    await platform.keep("orbit/sat-7/altitude_km", START_US + np.arange(n), np.zeros(n))
    room = SampleRoom(n + 1)
    control = BreakerControl(BreakerRegistry())
    queries = TelemetryQueries(platform.store, room)
    engine = GraphQLEngine(
        queries, control, Workflows.in_memory(), max_samples=10**7, max_points=10**6
    )
    one = QUESTION.replace("SELECTION", "mean stddev").split("{", 1)[1].rsplit("}", 1)[0]
    text = "query ($end: DateTime!) {" + "".join(f" q{i}: {one}" for i in range(8)) + "}"
    asked = GraphQLRequest(text, None, {"end": "2026-01-01T01:00:00Z"})

    answer = await engine.execute(engine.prepare(asked), OPERATOR, Purse(purse))

    assert set(answer.codes) == (set() if purse > 3 else {"CONFLICT"})
    assert room.taken == 0


def test_the_engine_and_the_services_load_no_http():
    code = (
        "import sys\n"
        "import aetherops.api.graphql.engine.engine, aetherops.services.ingest\n"
        "assert not {'starlette', 'uvicorn'} & set(sys.modules), sorted(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
