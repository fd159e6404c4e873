"""What is refused before it is a request is counted by its reason, and shown in metrics."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from aetherops.api.metrics.connections import ConnectionCollector


@pytest.mark.parametrize(
    ("sent", "settings", "reason"),
    [
        (b"no http at all\r\n\r\n", {}, "malformed"),
        (b"GET / HTTP/1.1\r\npad: " + b"x" * 40_000, {}, "too_large"),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 200 + b"\r\n", {}, "too_large"),
        (b"GET / HTTP/1.1\r\npad: ", {"head_timeout_s": 0.05}, "head_timed_out"),
    ],
)
async def test_a_refused_connection_is_counted(serving, sent, settings, reason):
    async with serving(**settings) as server:
        client = await server.connect()
        await client.send(sent)
        await client.refusal()
        assert {name: n for name, n in server.table.refused.items() if n} == {reason: 1}


async def test_one_that_made_room_for_another_is_counted(serving):
    async with serving(max_connections=1) as server:
        first = await server.connect()
        await first.send(b"GET / HTTP/1.1\r\n")
        second = await server.connect()
        await second.send(b"no http at all\r\n\r\n")
        await second.refusal()
        assert server.table.refused["made_room"] == 1
        assert server.table.n_open == 1


async def test_metrics_show_every_reason_from_the_beginning(serving):
    async with serving(max_connections=7) as server:
        client = await server.connect()
        await client.send(b"no http at all\r\n\r\n")
        await client.refusal()
        registry = CollectorRegistry()
        registry.register(ConnectionCollector(server.table))
        text = generate_latest(registry).decode()
    assert 'aetherops_http_connections_refused_total{reason="malformed"} 1.0' in text
    assert 'aetherops_http_connections_refused_total{reason="too_large"} 0.0' in text
    assert "aetherops_http_connections_limit 7.0" in text
