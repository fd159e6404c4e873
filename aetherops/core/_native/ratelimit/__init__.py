"""Compiled kernels of rate limits."""
