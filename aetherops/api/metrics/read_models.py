"""The read models of workflows as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from aetherops.services.read_model_condition import ReadModelCondition

__all__ = ["ReadModelCollector"]


class ReadModelCollector(Collector):
    """Reads the condition of the read models whenever metrics are asked for."""

    def __init__(self, condition: ReadModelCondition) -> None:
        self._condition = condition

    def collect(self) -> Iterator[Metric]:
        """What the projector of this process did."""
        condition = self._condition
        for name, text, gauge in (
            ("position", "Position of the event taken in last.", condition.position),
            ("lag_seconds", "From its recording until then.", condition.lag_s),
        ):
            yield GaugeMetricFamily(f"aetherops_workflow_read_model_{name}", text, value=gauge)
        for name, text, count in (
            ("events", "Events taken in.", condition.events),
            ("parked", "Workflows with an event that could not be read.", condition.parked),
            ("rebuilds", "Rebuilds finished.", condition.rebuilds),
        ):
            yield CounterMetricFamily(f"aetherops_workflow_read_model_{name}", text, value=count)
