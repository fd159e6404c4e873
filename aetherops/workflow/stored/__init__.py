"""The classes of existing scripts, standing on an event store."""
