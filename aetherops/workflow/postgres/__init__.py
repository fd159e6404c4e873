"""The event store in PostgreSQL: one table that is only appended to, in one order."""

from aetherops.workflow.postgres.store import PostgresEventStore

__all__ = ["PostgresEventStore"]
