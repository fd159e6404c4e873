"""The database schema as numbered SQL files; `aetherops.runtime.migrate` applies them."""
