"""Times as people type them after --start and --end."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from aetherops.cli.query.times import is_date, parse_time
from aetherops.errors import InvalidInputError
from aetherops.instants import FIRST_US, LAST_US, parse_us, to_iso

NOW_US = parse_us("2026-11-27T12:00:00Z")


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("now", "2026-11-27T12:00:00Z"),
        ("-1h", "2026-11-27T11:00:00Z"),
        ("-15min", "2026-11-27T11:45:00Z"),
        ("-15m", "2026-11-27T11:45:00Z"),
        ("-7d", "2026-11-20T12:00:00Z"),
        ("-1w", "2026-11-20T12:00:00Z"),
        ("+30s", "2026-11-27T12:00:30Z"),
        ("-250ms", "2026-11-27T11:59:59.75Z"),
        ("2026-11-27", "2026-11-27T00:00:00Z"),
        ("2026-331", "2026-11-27T00:00:00Z"),
        ("2026-11-27T12:00Z", "2026-11-27T12:00:00Z"),
        ("2026-11-27 12:00+01:00", "2026-11-27T11:00:00Z"),
        ("2026-331T12:00:00.5Z", "2026-11-27T12:00:00.5Z"),
        ("2026-11-27t12:00:00.123456z", "2026-11-27T12:00:00.123456Z"),
    ],
)
def test_what_is_understood(text: str, same: str) -> None:
    assert to_iso(parse_time(text, NOW_US, "--start")) == to_iso(parse_us(same))


@pytest.mark.parametrize("text", ["2026-11-27T12:00", "2026-11-27 12:00:00", "2026-331T12:00:00"])
def test_a_time_without_offset_is_refused_and_says_how_it_would_be_read(text: str) -> None:
    with pytest.raises(InvalidInputError, match=r"--end: expected an offset: .*Z is in UTC"):
        parse_time(text, NOW_US, "--end")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "1h",
        "-1y",
        "-1.5h",
        "--1h",
        "-h",
        "2026-13-01",
        "2026-366",
        "2026-11",
        "2026-11-27T12:00:00.1234567Z",
        "12:00Z",
        "2026-11-27T25:00Z",
        "-999999999999w",
        "-٣h",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="--start"):
        parse_time(text, NOW_US, "--start")


@given(st.integers(FIRST_US, LAST_US))
def test_every_instant_can_be_said(us: int) -> None:
    assert parse_time(to_iso(us), NOW_US, "--start") == us


def test_a_date_is_told_from_a_time() -> None:
    assert [is_date(t) for t in ("2026-11-27", "2026-331", "-1h", "2026-11-27T00:00Z")] == [
        *(True, True, False, False)
    ]
