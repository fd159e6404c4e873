"""One guarded handle for each server: its client, its circuit breaker, its errors made ours.

Drivers are imported here and in the adapters of domain packages, and nowhere else.
"""
