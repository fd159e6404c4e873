"""Scalars: exact both ways, and strict."""

import pytest
from graphql import GraphQLError, parse_value
from hypothesis import given, strategies as st

from aetherops.api.graphql.schema.scalars import BigInt, DateTime, Duration

FIRST_US, LAST_US = -62_135_596_800_000_000, 253_402_300_799_999_999


@given(us=st.integers(FIRST_US, LAST_US))
def test_every_instant_survives_the_way_out_and_in(us):
    assert DateTime.parse_value(DateTime.serialize(us)) == us


@given(us=st.integers(1, 10**15))
def test_every_duration_survives_the_way_out_and_in(us):
    assert Duration.parse_value(Duration.serialize(us)) == us


@given(number=st.integers(-(2**63), 2**63 - 1))
def test_every_64_bit_number_survives_the_way_out_and_in(number):
    assert BigInt.parse_value(BigInt.serialize(number)) == number
    assert BigInt.parse_literal(parse_value(str(number))) == number


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01 01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.999999-00:00", -1),
        ("1970-01-01T00:00:00.5Z", 500_000),
    ],
)
def test_times_are_read_with_their_offset(text, us):
    assert DateTime.parse_value(text) == us
    assert DateTime.parse_literal(parse_value(f'"{text}"')) == us


@pytest.mark.parametrize(
    "value",
    [
        "2026-01-01T00:00:00",
        "2026-01-01",
        "2026-W01-1T00:00:00Z",
        "20260101T000000Z",
        "2026-01-01T00:00:00.1234567Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:01Z",
        "0000-01-01T00:00:00Z",
        "2026-01-01T00:00:00+99:99",
        "٢٠٢٦-01-01T00:00:00Z",
        "",
        1_767_225_600,
        None,
        True,
    ],
)
def test_anything_else_is_no_time(value):
    with pytest.raises(
        GraphQLError,
        match=r"DateTime: expected (an RFC 3339 time with an offset|a time of the years)",
    ):
        DateTime.parse_value(value)


@pytest.mark.parametrize(
    ("text", "us"),
    [("250ms", 250_000), ("60s", 60_000_000), ("5m", 300_000_000), ("1h", 3_600_000_000)],
)
def test_durations_have_a_number_and_a_unit(text, us):
    assert Duration.parse_value(text) == us


def test_a_duration_is_written_in_its_largest_whole_unit():
    texts = [Duration.serialize(us) for us in (60_000_000, 90_000_000, 1_500_000, 86_400_000_000)]
    assert texts == ["1m", "90s", "1500ms", "1d"]


@pytest.mark.parametrize("value", ["", "5", "m", "0s", "-1s", "1.5h", "5 m", "999999999999d", 60])
def test_anything_else_is_no_duration(value):
    with pytest.raises(GraphQLError, match="Duration: expected a whole number and a unit"):
        Duration.parse_value(value)


@pytest.mark.parametrize("value", [2**63, -(2**63) - 1, 1.0, "1", True, None])
def test_anything_else_is_no_64_bit_number(value):
    with pytest.raises(GraphQLError, match="BigInt: expected a whole number"):
        BigInt.parse_value(value)


@pytest.mark.parametrize("literal", ["1.5", '"1"', "9223372036854775808", "9" * 5000, "[1]"])
def test_literals_are_held_to_the_same(literal):
    with pytest.raises(GraphQLError):
        BigInt.parse_literal(parse_value(literal))
