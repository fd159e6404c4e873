"""The telemetry store in PostgreSQL: a row is a chunk of samples, not a sample."""

from aetherops.archive.postgres.store import PostgresTelemetryStore, is_postgres_away

__all__ = ["PostgresTelemetryStore", "is_postgres_away"]
