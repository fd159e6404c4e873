"""Compiled kernels of aggregation."""
