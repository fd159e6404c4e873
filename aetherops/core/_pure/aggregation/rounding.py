# Twin: ext/aetherops/core/_native/aggregation/rounding.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Rounding of many numbers to decimals, each as Python's ``round`` rounds it."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from aetherops.core.aggregation_input import checked_decimals

__all__ = ["round_all"]


def round_all(values: Iterable[float], decimals: int | None) -> array[float]:
    """Each value rounded; copied as it is where decimals is None."""
    rounded = array("d", values)
    decimals = checked_decimals(decimals)
    if decimals is not None:
        for i, value in enumerate(rounded):
            rounded[i] = round(value, decimals)
    return rounded
