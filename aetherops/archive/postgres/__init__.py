"""The telemetry store in PostgreSQL: a row is a chunk of samples, not a sample."""

from aetherops.archive.postgres.epochs import PostgresAcceptanceEpochs
from aetherops.archive.postgres.rights import check_rights
from aetherops.archive.postgres.store import PostgresTelemetryStore

__all__ = ["PostgresAcceptanceEpochs", "PostgresTelemetryStore", "check_rights"]
