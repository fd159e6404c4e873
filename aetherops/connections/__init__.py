"""One guarded handle for each server."""
