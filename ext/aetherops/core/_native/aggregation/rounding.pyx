# Twin: aetherops/core/_pure/aggregation/rounding.py
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Rounding of many numbers to decimals, each as Python's ``round`` rounds it."""

from cpython cimport array

from array import array as make_array

from aetherops.core._native.aggregation.buckets cimport decimal_scale
from aetherops.core._native.aggregation.kernels cimport selected


def round_all(values, decimals):
    """Each value rounded; copied as it is where decimals is None."""
    cdef array.array rounded = make_array("d", values)
    cdef double scale = decimal_scale(decimals)
    selected().round_quotients(rounded.data.as_doubles, len(rounded), 1.0, scale)
    return rounded
