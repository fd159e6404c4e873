"""Compiled kernels of circuit breakers."""
