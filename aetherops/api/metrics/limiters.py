"""Rate limiters as Prometheus reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client import Metric

    from aetherops.ratelimit.ports import AsyncLimiter

__all__ = ["LimitCollector"]


class LimitCollector(Collector):
    """Reads the limiters whenever metrics are asked for, so that decisions pay nothing for it."""

    def __init__(self) -> None:
        self._limiters: dict[str, AsyncLimiter] = {}

    def watch(self, policy: str, limiter: AsyncLimiter) -> None:
        """Show a limiter under its policy's name."""
        self._limiters[policy] = limiter

    def collect(self) -> Iterator[Metric]:
        """The keys of each limiter, and how those over a store fared with it."""
        keys = GaugeMetricFamily(
            "ratelimit_tracked_keys", "Keys that this process keeps counts of.", labels=["policy"]
        )
        fallbacks = CounterMetricFamily(
            "ratelimit_fallbacks",
            "Decisions made without the shared store, by what is done then.",
            labels=["policy", "on_failure"],
        )
        errors = CounterMetricFamily(
            "ratelimit_backend_errors",
            "Questions that the shared store was asked and did not answer.",
            labels=["policy"],
        )
        for policy, limiter in self._limiters.items():
            figures = limiter.figures()
            keys.add_metric([policy], figures.tracked_keys)
            if figures.store is not None:
                on_failure = str(figures.store.on_failure)
                fallbacks.add_metric([policy, on_failure], figures.store.fallback_total)
                errors.add_metric([policy], figures.store.error_total)
        yield from (keys, fallbacks, errors)
