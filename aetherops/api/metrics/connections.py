"""Connections of the HTTP server as Prometheus reads them: what never becomes a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from aetherops.runtime.http.connections import ConnectionTable

__all__ = ["ConnectionCollector"]


class ConnectionCollector(Collector):
    """Reads the table of connections whenever metrics are asked for."""

    def __init__(self, table: ConnectionTable) -> None:
        self._table = table

    def collect(self) -> Iterator[Metric]:
        """How many there are and may be, and how many were refused or ended, by reason."""
        yield GaugeMetricFamily(
            "aetherops_http_connections", "Connections that are open.", value=self._table.n_open
        )
        yield GaugeMetricFamily(
            "aetherops_http_connections_limit",
            "Connections that may be open.",
            value=self._table.max_connections,
        )
        refused = CounterMetricFamily(
            "aetherops_http_connections_refused",
            "Connections refused, or ended before their client was done, by reason.",
            labels=["reason"],
        )
        for reason, count in self._table.refused.items():
            refused.add_metric([reason], count)
        yield refused
