"""Time is UTC-aware at the edges and integer microseconds inside."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.instants import (
    FIRST_US,
    LAST_US,
    end_to_iso,
    from_us,
    parse_us,
    range_end,
    to_iso,
    to_us,
)

offsets = st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m)))
aware = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets)  # noqa: DTZ001


@given(aware)
def test_microseconds_hold_any_instant_exactly(instant):
    assert from_us(to_us(instant)) == instant


@given(aware)
def test_written_instants_are_read_back(instant):
    assert parse_us(to_iso(to_us(instant))) == to_us(instant)


def test_a_range_that_ends_at_the_last_instant_holds_it():
    assert range_end(LAST_US) == LAST_US + 1
    assert range_end(LAST_US - 1) == LAST_US - 1


@given(st.integers(FIRST_US, LAST_US - 1) | st.just(LAST_US + 1))
def test_the_end_of_a_range_is_read_back(end_us):
    assert range_end(parse_us(end_to_iso(end_us))) == end_us


def test_text_has_as_few_digits_as_it_needs():
    assert to_iso(0) == "1970-01-01T00:00:00Z"
    assert to_iso(1_500) == "1970-01-01T00:00:00.001500Z"
    assert to_iso(2_000_000 - 1_000) == "1970-01-01T00:00:01.999Z"


def test_a_naive_datetime_is_refused_and_says_what_is_missing():
    with pytest.raises(InvalidInputError, match=r"range\.start: expected a time with an offset"):
        to_us(datetime(2026, 1, 1), "range.start")  # noqa: DTZ001


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-01-01T00:00:00",
        "2026-W01-1T00:00:00Z",
        "20260101T000000Z",
        "2026-01-01T00:00:00.1234567Z",
        "2026-01-01T00:00Z",
        "0001-01-01T00:00:00+14:00",
    ],
)
def test_text_that_names_no_instant_is_refused(text):
    with pytest.raises(InvalidInputError, match=r"with an offset|of the years 1 to 9999"):
        parse_us(text)


def test_an_offset_moves_the_instant():
    assert parse_us("1970-01-01T01:00:00+01:00") == 0
    assert from_us(0) == datetime(1970, 1, 1, tzinfo=UTC)
