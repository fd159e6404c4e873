"""Streaming mathematics on the standard library alone: moments, buckets, windows, drift."""
