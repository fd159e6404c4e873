"""Bounds of the limiter counters, as aetherops/core/counter_input.py has them."""

from libc.stdint cimport int64_t


cdef extern from *:
    """
    #define MAX_UNITS ((int64_t)1 << 60)
    """
    const int64_t MAX_UNITS     # of costs, instants and stored units: sums of two fit 64 bits


cdef enum:
    MAX_TIERS = 16
    MAX_ROW_WIDTH = 160         # numbers in the row of one key
