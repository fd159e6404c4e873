"""Rates as exact ratios: so many tokens in so many microseconds."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import Self

from aetherops.core.counter_input import MAX_UNITS
from aetherops.errors import InvalidInputError

__all__ = ["Rate"]

_SECOND_US = 1_000_000
_UNITS_US = {
    "s": _SECOND_US,
    "second": _SECOND_US,
    "min": 60 * _SECOND_US,
    "minute": 60 * _SECOND_US,
    "h": 3600 * _SECOND_US,
    "hour": 3600 * _SECOND_US,
    "day": 86_400 * _SECOND_US,
}
_TEXT = re.compile(r"\s*(\d{1,18})\s*/\s*(\d{1,9})?\s*([a-z]+)\s*", re.ASCII)
_MAX_DENOMINATOR = 1_000_000


_MAX_UNITS_TEXT = f"2^{MAX_UNITS.bit_length() - 1}"


def require_whole(field: str, value: object) -> None:
    """Refuse what is no whole number from 1 to `MAX_UNITS`."""
    if not isinstance(value, int) or not 1 <= value <= MAX_UNITS:
        raise InvalidInputError(field, value, f"a whole number from 1 to {_MAX_UNITS_TEXT}")


@dataclass(frozen=True, slots=True)
class Rate:
    """``tokens`` in every ``period_us`` microseconds, in lowest terms.

    Raises
    ------
    InvalidInputError
        Either is not a whole number from 1 to 2⁶⁰.
    """

    tokens: int
    period_us: int

    def __post_init__(self) -> None:
        for field in ("tokens", "period_us"):
            require_whole(f"rate.{field}", getattr(self, field))
        ratio = Fraction(self.tokens, self.period_us)
        object.__setattr__(self, "tokens", ratio.numerator)
        object.__setattr__(self, "period_us", ratio.denominator)

    @classmethod
    def of(cls, rate: Rate | Fraction | float | str) -> Self:
        """A rate from tokens a second, or from text such as ``"50/min"`` or ``"3 / 10 s"``.

        Whole numbers and fractions are exact. A float is taken as the nearest fraction with a
        denominator up to a million (below 1, with a numerator up to a million), so that 0.1
        and 50 / 60 mean what they say.

        Raises
        ------
        InvalidInputError
            It is not above 0, not finite, or no such text.
        """
        if isinstance(rate, Rate):
            return cls(rate.tokens, rate.period_us)
        if isinstance(rate, str):
            return cls._parse(rate)
        if not isfinite(rate) or rate <= 0:
            raise InvalidInputError("rate", rate, "tokens a second, above 0")
        per_second = _nearest(rate) if isinstance(rate, float) else Fraction(rate)
        ratio = per_second / _SECOND_US
        return cls(ratio.numerator, ratio.denominator)

    @classmethod
    def _parse(cls, text: str) -> Self:
        found = _TEXT.fullmatch(text.lower())
        if found is None or found[3] not in _UNITS_US:
            raise InvalidInputError("rate", text, f"such as 50/min; units: {', '.join(_UNITS_US)}")
        return cls(int(found[1]), int(found[2] or 1) * _UNITS_US[found[3]])

    def scaled(self, factor_permille: int) -> Rate:
        """This rate times ``factor_permille`` thousandths, exactly."""
        return Rate(self.tokens * factor_permille, self.period_us * 1000)

    @property
    def per_second(self) -> float:
        """Tokens a second, for display."""
        return self.tokens * _SECOND_US / self.period_us


def _nearest(rate: float) -> Fraction:
    if rate >= 1:
        return Fraction(rate).limit_denominator(_MAX_DENOMINATOR)
    return 1 / (1 / Fraction(rate)).limit_denominator(_MAX_DENOMINATOR)
