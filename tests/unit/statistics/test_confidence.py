"""Student's t: published tables, closed forms, and an independent sum of the distribution."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.statistics import confidence_interval, mean, student_t_quantile

# NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2: degrees, then the upper critical
# values at 0.90, 0.95, 0.975, 0.99, 0.995 and 0.999.
NIST_TABLE = """
1     3.078  6.314 12.706 31.821 63.657 318.309
2     1.886  2.920  4.303  6.965  9.925  22.327
3     1.638  2.353  3.182  4.541  5.841  10.215
4     1.533  2.132  2.776  3.747  4.604   7.173
5     1.476  2.015  2.571  3.365  4.032   5.893
10    1.372  1.812  2.228  2.764  3.169   4.144
20    1.325  1.725  2.086  2.528  2.845   3.552
30    1.310  1.697  2.042  2.457  2.750   3.385
60    1.296  1.671  2.000  2.390  2.660   3.232
100   1.290  1.660  1.984  2.364  2.626   3.174
"""
NIST_CONFIDENCES = (0.80, 0.90, 0.95, 0.98, 0.99, 0.998)
CASES = [
    (int(degrees), confidence, float(t))
    for degrees, *row in map(str.split, NIST_TABLE.strip().splitlines())
    for confidence, t in zip(NIST_CONFIDENCES, row, strict=True)
]

confidences = st.floats(1e-6, 1 - 1e-12)


def probability_within(t: float, degrees: int) -> float:
    """P(|T| <= t) as a finite sum over the angle atan(t/√v); Abramowitz and Stegun, 26.7.3/4."""
    angle = math.atan2(t, math.sqrt(degrees))
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = degrees % 2
    term = cosine if odd else 1.0
    terms = [term]
    for k in range(1 + odd, degrees - 2, 2):
        term *= cosine * cosine * k / (k + 1)
        terms.append(term)
    total = sine * math.fsum(terms)
    if not odd:
        return total
    return 2 / math.pi * (angle + (total if degrees > 1 else 0.0))


@pytest.mark.parametrize(("degrees", "confidence", "t"), CASES)
def test_quantiles_are_those_of_the_published_table(
    degrees: int, confidence: float, t: float
) -> None:
    assert student_t_quantile(confidence, degrees) == pytest.approx(t, abs=5.1e-4)


@given(confidences)
def test_one_degree_of_freedom_is_the_cauchy_distribution(confidence: float) -> None:
    # tan of the complement: near 1 the tangent itself would lose what is asked for.
    expected = 1 / math.tan(math.pi / 2 * (1 - confidence))
    assert student_t_quantile(confidence, 1) == pytest.approx(expected, rel=1e-10)


@given(confidences)
def test_two_degrees_of_freedom_have_a_closed_form(confidence: float) -> None:
    expected = confidence * math.sqrt(2 / ((1 - confidence) * (1 + confidence)))
    assert student_t_quantile(confidence, 2) == pytest.approx(expected, rel=1e-10)


@given(st.floats(0.01, 0.999), st.integers(1, 2000))
@settings(deadline=None)
def test_the_quantile_encloses_its_confidence(confidence: float, degrees: int) -> None:
    t = student_t_quantile(confidence, degrees)
    assert probability_within(t, degrees) == pytest.approx(confidence, abs=2e-13)


@given(st.floats(0.01, 0.999), st.integers(1, 400))
@settings(deadline=None)
def test_the_quantile_is_accurate_to_ten_digits(confidence: float, degrees: int) -> None:
    # The independent sum brackets the root: a little less encloses less, a little more more.
    t = student_t_quantile(confidence, degrees)
    assert probability_within(t * (1 - 1e-10), degrees) < confidence
    assert probability_within(t * (1 + 1e-10), degrees) > confidence


def test_many_degrees_of_freedom_approach_the_normal_distribution() -> None:
    # Cornish and Fisher: t = z + (z³ + z) / 4v + …, z being the normal quantile.
    z, degrees = 1.959963984540054, 10**7
    expected = z + (z**3 + z) / (4 * degrees)
    assert student_t_quantile(0.95, degrees) == pytest.approx(expected, rel=1e-11)


@given(st.floats(0.01, 0.99), st.integers(1, 500))
def test_the_quantile_falls_as_degrees_grow(confidence: float, degrees: int) -> None:
    assert student_t_quantile(confidence, degrees + 1) < student_t_quantile(confidence, degrees)


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 1.5, math.nan])
def test_a_confidence_is_a_probability_between_0_and_1(confidence: float) -> None:
    with pytest.raises(InvalidInputError) as caught:
        confidence_interval([1.0, 2.0], confidence)
    assert caught.value.field == "confidence"
    assert confidence_interval([1.0], confidence) == (0.0, 0.0)


def test_there_is_at_least_one_degree_of_freedom() -> None:
    with pytest.raises(InvalidInputError, match="degrees"):
        student_t_quantile(0.95, 0)


def test_the_interval_is_the_mean_and_t_standard_errors_each_way() -> None:
    # s² = 2.5 and n = 5: the mean 3 ∓ 2.7764451… · √0.5
    assert confidence_interval([1, 2, 3, 4, 5]) == (1.0368, 4.9632)
    assert confidence_interval([1, 2, 3, 4, 5], 0.99) == (-0.2556, 6.2556)
    assert confidence_interval(iter([1, 2, 3, 4, 5])) == (1.0368, 4.9632)


def test_fewer_than_two_values_give_no_interval() -> None:
    assert confidence_interval([]) == (0.0, 0.0)
    assert confidence_interval([42.0]) == (0.0, 0.0)


def test_equal_values_give_a_point() -> None:
    assert confidence_interval([2.5] * 9) == (2.5, 2.5)


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20), st.floats(0.5, 0.999))
def test_the_interval_holds_the_mean_and_narrows_as_values_are_added(
    values: list[int], confidence: float
) -> None:
    low, high = confidence_interval(values, confidence)
    assert low - 1e-4 <= mean(values) <= high + 1e-4
    # The same spread, seen in four times as many values.
    narrow_low, narrow_high = confidence_interval(values * 4, confidence)
    assert narrow_high - narrow_low < high - low or len(set(values)) == 1


@given(st.lists(st.integers(-1000, 1000), min_size=2, max_size=20, unique=True))
def test_more_confidence_takes_a_wider_interval(values: list[int]) -> None:
    low, high = confidence_interval(values, 0.90)
    wide_low, wide_high = confidence_interval(values, 0.99)
    assert wide_low < low < high < wide_high
