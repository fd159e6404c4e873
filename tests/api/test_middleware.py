"""Around every request: an id, a log line, safe headers, and no leak."""

import pytest
import structlog

from aetherops.api.http.middleware import ErrorResponses


async def test_every_answer_has_an_id(client):
    first, second = [(await client.get("/healthz")).headers["x-request-id"] for _ in range(2)]
    assert first != second


async def test_a_harmless_id_is_kept(client):
    response = await client.get("/healthz", headers={"X-Request-Id": "trace-42"})
    assert response.headers["x-request-id"] == "trace-42"


@pytest.mark.parametrize("sent", ["a b", "x" * 65, '{"a":1}', ""])
async def test_any_other_id_is_replaced(client, sent):
    response = await client.get("/healthz", headers={"X-Request-Id": sent})
    assert response.headers["x-request-id"] != sent


async def test_a_request_is_logged_without_what_it_carried(client, platform):
    with structlog.testing.capture_logs() as logs:
        await client.get("/graphql?query={__typename}&secret=hunter2")
    (entry,) = (entry for entry in logs if entry["event"] == "request_ended")
    assert entry["method"] == "GET"
    assert entry["path"] == "/graphql"
    assert entry["status"] == 200
    assert entry["operator_id"] == "op-7"
    assert entry["duration_ms"] > 0
    assert "hunter2" not in str(logs)
    assert "Bearer" not in str(logs)


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/v1/telemetry", "/graphql"])
async def test_every_answer_has_safe_headers(client, path):
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"


async def test_an_unknown_path_is_told_in_json(client):
    response = await client.get("/nowhere")
    assert response.status_code == 404
    assert response.json()["error"]["code"] == "NOT_FOUND"


@pytest.mark.parametrize("path", ["/graphql/", "/readyz/", "/v1/telemetry/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_no_answer_leads_to_the_host_that_was_sent(client, method, path):
    response = await client.request(method, path, headers={"Host": "elsewhere.example"})
    assert response.status_code == 404
    assert "location" not in response.headers
    assert "elsewhere.example" not in response.text


async def test_the_root_leads_to_the_explorer_wherever_it_is_reached(client):
    response = await client.get("/", headers={"Host": "elsewhere.example"})
    assert response.headers["location"] == "/graphql"


async def test_a_wrong_method_is_told_with_those_that_are_right(client):
    response = await client.get("/v1/telemetry")
    assert response.status_code == 405
    assert response.headers["allow"] == "POST"
    assert response.json()["error"]["code"] == "METHOD_NOT_ALLOWED"


async def test_a_fault_in_an_endpoint_tells_nothing_but_its_id(platform):
    async def readiness():
        raise RuntimeError("postgresql://user:hunter2@db")

    with structlog.testing.capture_logs() as logs:
        async with platform.client(readiness=readiness) as client:
            response = await client.get("/readyz")
    assert response.status_code == 500
    error = response.json()["error"]
    assert error["code"] == "INTERNAL"
    assert error["message"] == f"internal error {error['id']}"
    assert "hunter2" not in response.text
    assert any(entry.get("error_id") == error["id"] for entry in logs)
    assert response.headers["x-content-type-options"] == "nosniff"


async def test_an_answer_that_has_begun_is_broken_off():
    async def begin_and_fail(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("halfway")

    sent = []

    async def send(message):
        sent.append(message)

    with pytest.raises(RuntimeError, match="halfway"):
        await ErrorResponses(begin_and_fail)({"type": "http"}, None, send)
    assert len(sent) == 1
