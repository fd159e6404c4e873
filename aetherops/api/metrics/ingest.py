"""Ingest as Prometheus reads it: what waits, how far behind the store is, what was set aside."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from prometheus_client import Metric

    from aetherops.archive.intake import QueueCondition
    from aetherops.services.ingest_condition import IngestCondition

__all__ = ["IngestCollector"]


class IngestCollector(Collector):
    """Reads the condition of ingest whenever metrics are asked for.

    Parameters
    ----------
    condition : written by the workers and the watch.
    clock_s : seconds since 1970, for the age of what waits.
    """

    def __init__(
        self, condition: IngestCondition, clock_s: Callable[[], float] = time.time
    ) -> None:
        self._condition = condition
        self._clock_s = clock_s

    def collect(self) -> Iterator[Metric]:
        """What this process sees, and what the queue said when it was last read."""
        condition = self._condition
        yield GaugeMetricFamily(
            "aetherops_ingest_store_refusing",
            "1 while the store answers and cannot write.",
            value=condition.store_refusal is not None,
        )
        yield CounterMetricFamily(
            "aetherops_ingest_store_refusals",
            "Times that the store began to refuse to write.",
            value=condition.refusals,
        )
        yield GaugeMetricFamily(
            "aetherops_ingest_lag_seconds",
            "From acceptance to the store, of the batch that this process stored last.",
            value=condition.lag_s,
        )
        yield from self._of_pauses()
        if condition.queue is not None:
            yield from self._of_queue(condition.queue)

    def _of_pauses(self) -> Iterator[Metric]:
        paused = GaugeMetricFamily(
            "aetherops_ingest_paused",
            "1 while a worker of this process waits for it, once one has.",
            labels=["dependency"],
        )
        pauses = CounterMetricFamily(
            "aetherops_ingest_pauses",
            "Times that workers of this process began to wait, by what for.",
            labels=["dependency"],
        )
        for dependency, is_waited_for in self._condition.pauses.waited_for().items():
            paused.add_metric([dependency], is_waited_for)
            pauses.add_metric([dependency], self._condition.pauses.counts[dependency])
        yield from (paused, pauses)

    def _of_queue(self, queue: QueueCondition) -> Iterator[Metric]:
        oldest_us = queue.oldest_us
        age_s = 0.0 if oldest_us is None else max(0.0, self._clock_s() - oldest_us / 1e6)
        for name, text, gauge in (
            ("backlog_batches", "Batches that wait to be stored.", queue.backlog.batches),
            ("backlog_bytes", "Bytes that wait to be stored.", queue.backlog.bytes),
            ("backlog_limit_bytes", "Bytes that may wait; 0: any.", queue.backlog.limit_bytes),
            ("oldest_batch_age_seconds", "Age of the batch that has waited longest.", age_s),
            ("redelivered_batches", "Waiting batches delivered before.", queue.redelivered),
            ("rejected_batches", "Batches that are set aside.", queue.rejected),
        ):
            yield GaugeMetricFamily(f"aetherops_ingest_{name}", text, value=gauge)
        for name, text, count in (
            ("accepted_batches", "Batches that the queue has taken.", queue.backlog.taken),
            ("deliveries", "Deliveries of batches to workers.", queue.deliveries),
            ("rejections", "Batches that were ever set aside.", queue.rejections),
        ):
            yield CounterMetricFamily(f"aetherops_ingest_{name}", text, value=count)
