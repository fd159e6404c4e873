"""The read models of workflows on PostgreSQL."""

from aetherops.workflow.read_models.postgres.filling import GenerationFiller
from aetherops.workflow.read_models.postgres.generations import Generation, Generations
from aetherops.workflow.read_models.postgres.projector import PostgresProjector
from aetherops.workflow.read_models.postgres.reading import PostgresReadModel
from aetherops.workflow.read_models.postgres.snapshots import PostgresSnapshots

__all__ = [
    "Generation",
    "GenerationFiller",
    "Generations",
    "PostgresProjector",
    "PostgresReadModel",
    "PostgresSnapshots",
]
