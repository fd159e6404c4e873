"""AetherOps: telemetry in, streaming aggregates kept, answers over GraphQL."""

__version__ = "0.1.0"
