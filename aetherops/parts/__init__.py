"""What runs as long as an instance does: the ingest worker, and watches."""
