"""Rounding is that of Python's round, for every double."""

from __future__ import annotations

import math
from fractions import Fraction

from hypothesis import given, strategies as st

from aetherops.core import round_all


@given(st.lists(st.floats(allow_nan=False), max_size=50), st.integers(0, 15))
def test_any_double(values, decimals):
    assert [x.hex() for x in round_all(values, decimals)] == [
        round(x, decimals).hex() for x in values
    ]


@given(st.integers(-(2**50), 2**50), st.integers(0, 15), st.integers(-2, 2))
def test_neighbours_of_ties(numerator, decimals, ulps):
    tie = float(Fraction(2 * numerator + 1, 2 * 10**decimals))
    for _ in range(abs(ulps)):
        tie = math.nextafter(tie, math.copysign(math.inf, ulps))
    assert round_all([tie], decimals)[0] == round(tie, decimals)


def test_large_numbers_are_their_own_answer():
    for exponent in range(30, 60):
        for x in (2.0**exponent, math.nextafter(2.0**exponent, 0), 2.0**exponent + 0.00005):
            assert round_all([x, -x], 4).tolist() == [round(x, 4), round(-x, 4)]


def test_none_leaves_values_alone():
    assert round_all([0.123456789], None).tolist() == [0.123456789]
