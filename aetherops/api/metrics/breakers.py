"""Circuit breakers as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from aetherops.resilience import measure
from aetherops.resilience.breakers.metrics import METRICS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from aetherops.resilience import BreakerRegistry

__all__ = ["BreakerCollector"]


class BreakerCollector(Collector):
    """Reads the breakers whenever metrics are asked for."""

    def __init__(self, breakers: BreakerRegistry) -> None:
        self._breakers = breakers

    def collect(self) -> Iterator[Metric]:
        """One family a metric, with a sample for each breaker and label."""
        families: dict[str, Metric] = {}
        for name, labels, value in measure(self._breakers):
            kind, text = METRICS[name]
            if name not in families:
                make = CounterMetricFamily if kind == "counter" else GaugeMetricFamily
                families[name] = make(name, text)
            families[name].add_sample(name, labels, value)
        yield from families.values()
