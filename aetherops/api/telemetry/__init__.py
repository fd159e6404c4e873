"""Telemetry in over HTTP."""
