"""The demonstration fleet: six satellites, propagated with SGP4."""
