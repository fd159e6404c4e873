"""Telemetry in CSV files: how a file is laid out, its times, and its rows as samples."""
