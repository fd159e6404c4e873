"""Counts since 1970: their unit, and how a count's size tells it."""

from __future__ import annotations

from enum import StrEnum

__all__ = ["DISTANCES_US", "EpochUnit"]

_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
_DECIMALS = {"s": 6, "ms": 3, "us": 0, "ns": -3}
# From 3 March 1973 on, and up to the year 5138, the size of a count tells its unit.
_TELLING_FROM_US, _TELLING_TO_US = 10**14, 10**17


class EpochUnit(StrEnum):
    """Unit of times that are counts since 1970-01-01T00:00:00Z."""

    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"

    @property
    def decimals(self) -> int:
        """Decimal digits between this unit and the microsecond; negative for a finer unit."""
        return _DECIMALS[self]

    @property
    def plural(self) -> str:
        """The unit's name: ``"seconds"``."""
        return _NAMES[self]

    @classmethod
    def of_magnitude(cls, count: float) -> EpochUnit:
        """The unit in which a count is an instant of our time: seconds below 1e11, and so on."""
        for unit, limit in ((cls.S, 1e11), (cls.MS, 1e14), (cls.US, 1e17)):
            if abs(count) < limit:
                return unit
        return cls.NS


#: How far from 1970, in microseconds, the instants lie whose counts `of_magnitude` takes for
#: a unit: from the first number up to, and without, the second.
DISTANCES_US = {
    EpochUnit.S: (0, _TELLING_TO_US),
    EpochUnit.MS: (_TELLING_FROM_US, _TELLING_TO_US),
    EpochUnit.US: (_TELLING_FROM_US, _TELLING_TO_US),
    EpochUnit.NS: (_TELLING_FROM_US, 2**63),
}
