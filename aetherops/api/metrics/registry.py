"""What the HTTP application counts."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from aetherops.api.metrics.limiters import LimitCollector
from aetherops.api.metrics.loops import LoopCollector

__all__ = ["Metrics"]

_LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_DECISION_BUCKETS_S = (
    *(0.000005, 0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005),
    *(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1),
)


class Metrics:
    """Counters and histograms, shown by ``/metrics``, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter(
            "aetherops_http_requests",
            "HTTP requests answered.",
            ["method", "route", "status"],
            registry=registry,
        )
        self.latency_s = Histogram(
            "aetherops_http_request_duration_seconds",
            "Time from a request's head to its answer's last byte.",
            ["route"],
            buckets=_LATENCY_BUCKETS_S,
            registry=registry,
        )
        self.accepted_samples = Counter(
            "aetherops_accepted_samples",
            "Samples that were put on the queue.",
            registry=registry,
        )
        self.graphql_errors = Counter(
            "aetherops_graphql_errors",
            "Errors in GraphQL answers.",
            ["code"],
            registry=registry,
        )
        self.limit_decisions = Counter(
            "ratelimit_requests",
            "Decisions of rate limits.",
            ["policy", "result", "reason"],
            registry=registry,
        )
        self.limit_duration_s = Histogram(
            "ratelimit_decision_duration_seconds",
            "Time that a decision of a rate limit took, the store's answer included.",
            ["policy"],
            buckets=_DECISION_BUCKETS_S,
            registry=registry,
        )
        self.limiters = LimitCollector()
        registry.register(self.limiters)
        registry.register(LoopCollector())
        self.limit_factor = Gauge(
            "ratelimit_factor",
            "Share of the nominal ingest limits that is in force.",
            registry=registry,
        )
        self.limit_factor.set(1.0)
