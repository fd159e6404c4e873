"""GraphQL over HTTP: methods, media types, statuses, and what must never get through."""

import json

import pytest
import structlog
from graphql import GraphQLError

from aetherops.api.graphql.engine.answers import GraphQLAnswer
from aetherops.api.graphql.http.responses import respond
from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.errors import UnavailableError

JSON, RESPONSE = "application/json", "application/graphql-response+json"
TYPENAME = {"query": "{ __typename }"}


async def post(client, body, accept=JSON, **headers):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post(
        "/graphql", content=content, headers={"Content-Type": JSON, "Accept": accept} | headers
    )


class TestMediaTypes:
    @pytest.mark.parametrize(
        ("accept", "answered"),
        [
            (JSON, JSON),
            (RESPONSE, RESPONSE),
            ("*/*", JSON),
            ("application/*", JSON),
            ("", JSON),
            (f"{RESPONSE}, {JSON}", RESPONSE),
            (f"{RESPONSE};q=0.5, {JSON}", JSON),
            (f"{RESPONSE}; charset=utf-8, {JSON};q=0.9", RESPONSE),
            ("text/html, */*;q=0.1", JSON),
        ],
    )
    async def test_the_answer_has_the_type_that_is_liked_best(self, client, accept, answered):
        response = await post(client, TYPENAME, accept)
        assert response.status_code == 200
        assert response.headers["content-type"] == f"{answered}; charset=utf-8"
        assert response.json() == {"data": {"__typename": "Query"}}

    @pytest.mark.parametrize("accept", ["text/plain", f"{JSON};q=0", "image/*"])
    async def test_who_accepts_neither_gets_406(self, client, accept):
        assert (await post(client, TYPENAME, accept)).status_code == 406

    @pytest.mark.parametrize(
        "sent",
        [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "",
            "application/json; charset=latin-1",
        ],
    )
    async def test_only_json_is_read(self, client, sent):
        response = await client.post(
            "/graphql", content=b'{"query": "{ __typename }"}', headers={"Content-Type": sent}
        )
        assert response.status_code == 415

    async def test_an_encoded_body_is_refused(self, client):
        assert (await post(client, TYPENAME, **{"Content-Encoding": "gzip"})).status_code == 415


class TestParameters:
    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "query"),
            ({"query": None}, "query"),
            ({"query": 1}, "query"),
            ({"query": " "}, "query"),
            ({"query": "{ a }", "variables": []}, "variables"),
            ({"query": "{ a }", "variables": "x"}, "variables"),
            ({"query": "{ a }", "extensions": 1}, "extensions"),
            ({"query": "{ a }", "operationName": {}}, "operationName"),
            ("text", "body"),
            (None, "body"),
            ([TYPENAME], "body"),
            ([], "body"),
        ],
    )
    async def test_a_wrong_parameter_is_named(self, client, body, field):
        response = await post(client, body)
        assert response.status_code == 400
        extensions = response.json()["errors"][0]["extensions"]
        assert (extensions["code"], extensions["field"]) == ("BAD_INPUT", field)

    @pytest.mark.parametrize(
        ("body", "place"),
        [
            (b"", "body, line 1 column 1"),
            (b'{"query": "{ a }",\n  }', "body, line 1 column 18"),
            (b'{"query": "\xff"}', "body, byte 11"),
            (b"[" * 5000, "body, line 1 column"),
            (b'{"query": "{ a }", "variables": {"x": NaN}}', "body, line 1 column 39"),
        ],
    )
    async def test_malformed_json_is_refused_with_the_place(self, client, body, place):
        response = await post(client, body)
        assert response.status_code == 400
        assert place in response.json()["errors"][0]["message"]

    async def test_a_body_over_a_mebibyte_is_refused(self, client):
        response = await post(client, {"query": "{ a }", "variables": {"x": "y" * 2**20}})
        assert response.status_code == 413
        assert response.json()["errors"][0]["extensions"]["code"] == "LIMIT_EXCEEDED"

    async def test_a_body_that_hides_its_length_is_refused_too(self, client):
        async def body():
            for _ in range(40):
                yield b" " * 2**15

        response = await client.post("/graphql", content=body(), headers={"Content-Type": JSON})
        assert response.status_code == 413

    async def test_nulls_for_what_is_optional_are_allowed(self, client):
        body = TYPENAME | {"variables": None, "operationName": None, "extensions": None}
        assert (await post(client, body)).json() == {"data": {"__typename": "Query"}}

    async def test_one_of_several_operations_is_chosen_by_name(self, client):
        query = "query A { a: __typename } query B { b: __typename }"
        response = await post(client, {"query": query, "operationName": "B"})
        assert response.json() == {"data": {"b": "Query"}}


REFUSED = [
    {"query": "{"},
    {"query": "{ nothing }"},
    {"query": "query A { __typename } query B { __typename }"},
    {"query": "query A { __typename }", "operationName": "C"},
    {"query": "query ($n: String!) { stream(name: $n) { unit } }"},
    {"query": "query ($n: String!) { stream(name: $n) { unit } }", "variables": {"n": 5}},
    {"query": "{ " + "a { " * 12 + "b" + " }" * 13},
]


class TestStatuses:
    @pytest.mark.parametrize("body", REFUSED)
    async def test_plain_json_says_200_to_a_refused_question(self, client, body):
        response = await post(client, body)
        assert response.status_code == 200
        assert "data" not in response.json()
        assert response.json()["errors"]

    @pytest.mark.parametrize("body", REFUSED)
    async def test_the_newer_type_says_400_to_it(self, client, body):
        response = await post(client, body, RESPONSE)
        assert response.status_code == 400
        assert "data" not in response.json()

    @pytest.mark.parametrize("accept", [JSON, RESPONSE])
    async def test_an_error_of_a_field_is_an_answer(self, client, accept):
        response = await post(client, {"query": '{ stream(name: "a/b/c") { unit } }'}, accept)
        assert response.status_code == 200
        assert response.json()["data"] is None

    async def test_a_misspelled_field_gets_a_suggestion(self, client):
        response = await post(client, {"query": "{ strems { nodes { name } } }"})
        (error,) = response.json()["errors"]
        assert "Did you mean" in error["message"]
        assert error["extensions"] == {"code": "BAD_INPUT"}
        assert error["locations"] == [{"line": 1, "column": 3}]


class TestGet:
    async def test_a_query_may_come_in_the_address(self, client):
        parameters = {
            "query": "query ($p: String!) { streams(prefix: $p) { nodes { name } } }",
            "variables": '{"p": "x"}',
        }
        response = await client.get("/graphql", params=parameters)
        assert response.json() == {"data": {"streams": {"nodes": []}}}

    async def test_variables_that_are_no_json_are_refused(self, client):
        response = await client.get("/graphql", params={"query": "{ a }", "variables": "{"})
        assert response.status_code == 400
        assert "variables, line 1" in response.json()["errors"][0]["message"]

    async def test_without_a_query_a_program_is_told_so(self, client):
        response = await client.get("/graphql", headers={"Accept": JSON})
        assert response.status_code == 400

    async def test_a_mutation_may_not_come_in_the_address(self, client):
        query = 'mutation { resetCircuitBreaker(name: "nats") { name } }'
        response = await client.get("/graphql", params={"query": query})
        assert response.status_code == 405
        assert response.headers["allow"] == "POST"
        assert response.json()["errors"][0]["extensions"] == {"code": "METHOD_NOT_ALLOWED"}

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
    async def test_other_methods_are_refused(self, client, method):
        response = await client.request(method, "/graphql")
        assert response.status_code == 405
        assert "POST" in response.headers["allow"]


class FailingStore(MemoryTelemetryStore):
    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    async def streams(self, prefix="", *, after="", limit=100):
        raise self._error


STREAMS = {"query": "{ streams { nodes { name } } }"}


class TestFaults:
    async def test_an_unforeseen_fault_is_told_by_its_id_alone(self, platform):
        store = FailingStore(RuntimeError("password=hunter2"))
        with structlog.testing.capture_logs() as logs:
            async with platform.client(store=store) as client:
                response = await post(client, STREAMS)
        (error,) = response.json()["errors"]
        assert error["extensions"]["code"] == "INTERNAL"
        assert error["message"] == f"internal error {error['extensions']['id']}"
        assert "hunter2" not in response.text
        (entry,) = (entry for entry in logs if entry["event"] == "request_failed")
        assert entry["error_id"] == error["extensions"]["id"]
        assert str(entry["exc_info"]) == "password=hunter2"

    @pytest.mark.parametrize("media_type", [JSON, RESPONSE])
    def test_a_fault_before_execution_is_a_500(self, media_type):
        error = GraphQLError("no field yet", original_error=RuntimeError("password=hunter2"))
        response = respond(GraphQLAnswer.refusal([error]), media_type, {"X-Cost": "1"})
        assert (response.status_code, response.headers["x-cost"]) == (500, "1")
        assert b"hunter2" not in response.body

    async def test_a_store_that_is_away_is_a_503_with_a_time_to_come_back(self, platform):
        async with platform.client(store=FailingStore(UnavailableError("postgres", 2.5))) as client:
            response = await post(client, STREAMS)
        assert response.status_code == 503
        assert response.headers["retry-after"] == "3"
        (error,) = response.json()["errors"]
        assert error["extensions"] == {
            "code": "UNAVAILABLE",
            "dependency": "postgres",
            "retryAfter": 3,
        }


async def test_the_schema_can_be_read(client):
    from graphql import build_client_schema, get_introspection_query, print_schema

    response = await post(client, {"query": get_introspection_query()})
    sdl = print_schema(build_client_schema(response.json()["data"]))
    assert "anomalies(" in sdl
    assert "function: DownsampleFunction\n" in sdl


VARIABLES = """query ($stream: String!, $range: TimeRange!, $downsample: Downsample,
                      $threshold: Float!, $first: Int!) {
  telemetry(stream: $stream, range: $range, downsample: $downsample) {
    anomalies(threshold: $threshold, first: $first) { total } } }"""
GOOD = {
    "stream": "a/b/c",
    "range": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-02T00:00:00Z"},
    "downsample": None,
    "threshold": 3,
    "first": 5,
}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("stream", 5),
        ("stream", None),
        ("stream", ["a/b/c"]),
        ("range", "today"),
        ("range", {"start": "2026-01-01T00:00:00Z"}),
        ("range", {"start": 0, "end": 1}),
        ("range", GOOD["range"] | {"stop": 1}),
        ("downsample", {"function": "AVERAGE", "buckets": 5}),
        ("downsample", {"function": 1, "buckets": 5}),
        ("downsample", {"buckets": 2**31}),
        ("downsample", {"buckets": 1.5}),
        ("downsample", {"width": "5 minutes"}),
        ("downsample", {"width": 300}),
        ("threshold", "high"),
        ("threshold", True),
        ("threshold", 10**400),
        ("first", "5"),
        ("first", 1e300),
        ("first", {}),
    ],
)
async def test_a_wrong_variable_is_bad_input_that_names_it(client, name, value):
    response = await post(client, {"query": VARIABLES, "variables": GOOD | {name: value}}, RESPONSE)
    assert response.status_code == 400
    for error in response.json()["errors"]:
        assert error["extensions"]["code"] == "BAD_INPUT"
        assert f"'${name}'" in error["message"] or "body" in error["message"]
