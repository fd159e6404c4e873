from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import Rate


def test_a_rate_is_kept_in_lowest_terms():
    assert Rate(50, 60_000_000) == Rate(5, 6_000_000)
    assert (Rate(50, 60_000_000).tokens, Rate(50, 60_000_000).period_us) == (1, 1_200_000)


@pytest.mark.parametrize(
    ("given_rate", "tokens", "period_us"),
    [
        (1, 1, 10**6),
        (10**6, 1, 1),
        (3_000_000, 3, 1),
        (0.1, 1, 10**7),
        (50 / 60, 1, 1_200_000),
        (1 / 3, 1, 3 * 10**6),
        (1e-7, 1, 10**13),
        (33.333, 33333, 10**9),
        (Fraction(2, 7), 1, 3_500_000),
        ("50/min", 1, 1_200_000),
        ("3 / 10 s", 3, 10**7),
        ("100/Second", 1, 10**4),
        ("1000/hour", 1, 3_600_000),
        ("1/day", 1, 86_400_000_000),
        (Rate(2, 7), 2, 7),
    ],
)
def test_rates_mean_what_they_say(given_rate, tokens, period_us):
    assert Rate.of(given_rate) == Rate(tokens, period_us)


@pytest.mark.parametrize(
    "bad", [0, -1, 0.0, float("inf"), float("nan"), "fast", "5", "5/fortnight", "0/s", "/s", ""]
)
def test_what_is_no_rate_is_refused(bad):
    with pytest.raises(InvalidInputError, match="rate"):
        Rate.of(bad)


@pytest.mark.parametrize(("tokens", "period_us"), [(0, 1), (1, 0), (2**60 + 1, 1), (1.5, 1)])
def test_a_rate_of_improper_numbers_is_refused(tokens, period_us):
    with pytest.raises(InvalidInputError, match=r"rate\.(tokens|period_us)"):
        Rate(tokens, period_us)


def test_a_rate_scales_exactly():
    assert Rate(1, 3).scaled(513) == Rate(513, 3000)
    assert Rate(1, 3).scaled(1000) == Rate(1, 3)


@given(st.floats(min_value=1e-6, max_value=1e9))
def test_a_float_is_taken_to_within_a_millionth(rate):
    assert Rate.of(rate).per_second == pytest.approx(rate, rel=1e-6)
