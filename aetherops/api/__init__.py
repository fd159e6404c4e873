"""The HTTP application: GraphQL answers, telemetry ingest, health and metrics."""
