"""The telemetry store in PostgreSQL: a row is a chunk of samples, not a sample."""

from aetherops.archive.postgres.store import PostgresTelemetryStore

__all__ = ["PostgresTelemetryStore"]
