"""Samples on their way to the platform, until they are stored."""
