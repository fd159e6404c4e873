"""Publication and the check of workflows as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from aetherops.services.workflow_condition import WorkflowCondition

__all__ = ["WorkflowPartsCollector"]


class WorkflowPartsCollector(Collector):
    """Reads the condition of both whenever metrics are asked for."""

    def __init__(self, condition: WorkflowCondition) -> None:
        self._condition = condition

    def collect(self) -> Iterator[Metric]:
        """What this process published and replayed."""
        condition = self._condition
        yield GaugeMetricFamily(
            "aetherops_workflow_published_position",
            "Position up to which events were known to be published.",
            value=condition.published_position,
        )
        for name, text, count in (
            ("published_events", "Events published.", condition.published_events),
            ("replays", "Workflows replayed.", condition.replays),
            ("divergences", "Workflows found to diverge.", condition.divergences),
        ):
            yield CounterMetricFamily(f"aetherops_workflow_{name}", text, value=count)
