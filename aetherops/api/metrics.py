"""What the HTTP application counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prometheus_client import Counter, Histogram

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

__all__ = ["Metrics"]

_LATENCY_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counters and histograms, shown by ``/metrics``."""

    def __init__(self, registry: CollectorRegistry) -> None:
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
