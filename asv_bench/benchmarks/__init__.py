"""Benchmarks that asv follows over time: one module a feature, seeded, by public names."""
