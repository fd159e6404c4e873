"""Workflows that lived before events were kept: captured as a snapshot, they go on from there."""

from aetherops.workflow.migration.bulk import SnapshotStore, migrate_all, migrate_captured
from aetherops.workflow.migration.capture import Captured, capture
from aetherops.workflow.migration.dumps import MAX_DUMP_BYTES, read_dump, read_dump_file
from aetherops.workflow.migration.living import move_to_store, move_to_store_async
from aetherops.workflow.migration.report import (
    MigratedWorkflow,
    MigrationReport,
    Outcome,
    Progress,
)

__all__ = [
    "MAX_DUMP_BYTES",
    "Captured",
    "MigratedWorkflow",
    "MigrationReport",
    "Outcome",
    "Progress",
    "SnapshotStore",
    "capture",
    "migrate_all",
    "migrate_captured",
    "move_to_store",
    "move_to_store_async",
    "read_dump",
    "read_dump_file",
]
