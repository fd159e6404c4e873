"""The runner of workflows as Prometheus reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from aetherops.services.runner_condition import RunnerCondition

__all__ = ["RunnerCollector"]


class RunnerCollector(Collector):
    """Reads the runner's condition whenever metrics are asked for."""

    def __init__(self, condition: RunnerCondition) -> None:
        self._condition = condition

    def collect(self) -> Iterator[Metric]:
        """What this process holds and did."""
        condition = self._condition
        yield GaugeMetricFamily(
            "aetherops_workflows_held", "Workflows that this runner holds.", value=condition.held
        )
        for name, text, count in (
            ("claims", "Workflows that this runner took.", condition.claims),
            ("takeovers", "Of these, such as another held.", condition.takeovers),
            ("executed", "Workflows seen to their end.", condition.finished),
            ("fenced", "Workflows lost to another runner.", condition.fenced),
        ):
            yield CounterMetricFamily(f"aetherops_workflow_{name}", text, value=count)
