"""Loops that met errors nobody foresaw, as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily
from prometheus_client.registry import Collector

from aetherops.runtime.unforeseen import unforeseen_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

__all__ = ["LoopCollector"]


class LoopCollector(Collector):
    """Reads the counts of this process whenever metrics are asked for."""

    def collect(self) -> Iterator[Metric]:
        """How many such errors each loop has met and gone on after."""
        errors = CounterMetricFamily(
            "aetherops_unforeseen_errors",
            "Errors that nobody foresaw, by the loop that met them and went on.",
            labels=["loop"],
        )
        for loop, count in unforeseen_errors().items():
            errors.add_metric([loop], count)
        yield errors
