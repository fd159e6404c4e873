"""Migrations of the database: by its owner, in order, each once, beside versions that run."""

from aetherops.runtime.migrate.applying import MigrationBlockedError, migrate
from aetherops.runtime.migrate.ledger import SchemaOutdatedError, missing_migrations
from aetherops.runtime.migrate.roles import grant_to, owns_schema

__all__ = [
    "MigrationBlockedError",
    "SchemaOutdatedError",
    "grant_to",
    "migrate",
    "missing_migrations",
    "owns_schema",
]
