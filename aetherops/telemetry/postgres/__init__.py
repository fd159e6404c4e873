"""The telemetry store in PostgreSQL: a row is a chunk of samples, not a sample."""

from aetherops.telemetry.postgres.store import POSTGRES_FAILURES, PostgresTelemetryStore

__all__ = ["POSTGRES_FAILURES", "PostgresTelemetryStore"]
