"""`aetherops ingest`."""
