"""CSV to samples: layouts found, bad rows named, and both ways of parsing agreeing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from aetherops.archive.csv.layout import Layout, LayoutOptions, detect_layout
from aetherops.archive.csv.samples import (
    ParsedBlock,
    SampleParser,
    parse_by_column,
    parse_by_row,
)
from aetherops.archive.csv.times.texts import EpochUnit, Reason, RowError, TimeFormat
from aetherops.errors import InvalidInputError
from aetherops.instants import parse_us, to_us

NOON_US = parse_us("2026-01-31T12:00:00Z")
PARIS = ZoneInfo("Europe/Paris")


def parse(text: str, **wanted: object) -> ParsedBlock:
    """All of a text at once, its layout found from itself."""
    layout = detect_layout(text.splitlines(), LayoutOptions(**wanted))  # type: ignore[arg-type]
    return SampleParser(layout).parse(text.encode())


def two_columns(times: TimeFormat) -> Layout:
    return Layout(",", ("time", "value"), False, 0, 1, times)


class TestLayout:
    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_delimiter_and_header_are_found(self, delimiter: str) -> None:
        lines = [delimiter.join(("utc", "value")), delimiter.join(("2026-01-31T12:00:00Z", "1.5"))]
        layout = detect_layout(lines, LayoutOptions())
        assert (layout.delimiter, layout.has_header) == (delimiter, True)
        assert (layout.time_column, layout.value_column) == ("utc", "value")

    def test_a_file_without_header_numbers_its_columns(self) -> None:
        layout = detect_layout(["1.5,2026-01-31T12:00:00Z"], LayoutOptions())
        assert not layout.has_header
        assert (layout.time_column, layout.value_column) == ("2", "1")

    def test_decimal_commas_do_not_pass_for_delimiters(self) -> None:
        lines = ["t;v", "2026-01-31T12:00:00Z;1,5", "2026-01-31T12:00:01Z;1,6"]
        assert detect_layout(lines, LayoutOptions(value_column="v")).delimiter == ";"

    def test_iso_times_go_before_large_numbers(self) -> None:
        lines = ["fluence,when", "2.1e9,2026-01-31T12:00:00Z"]
        layout = detect_layout(lines, LayoutOptions())
        assert (layout.time_column, layout.value_column) == ("when", "fluence")

    def test_a_usual_name_decides_between_several_columns(self) -> None:
        lines = ["hours_of_year,value,utc", "3374.0,159.6,2022-05-20T14:00:14.706Z"]
        layout = detect_layout(lines, LayoutOptions())
        assert (layout.time_column, layout.value_column) == ("utc", "value")

    def test_several_numeric_columns_are_an_error_that_lists_them(self) -> None:
        lines = ["time,density,speed", "2026-01-31T12:00:00Z,2.4,575.6"]
        with pytest.raises(InvalidInputError, match="density, speed"):
            detect_layout(lines, LayoutOptions())
        assert detect_layout(lines, LayoutOptions(value_column="speed")).value_column == "speed"
        assert detect_layout(lines, LayoutOptions(value_column="3")).value_column == "speed"

    def test_several_epoch_columns_are_an_error(self) -> None:
        lines = ["a,b", "1769860800,1769860801"]
        with pytest.raises(InvalidInputError, match="time column"):
            detect_layout(lines, LayoutOptions())
        assert detect_layout(lines, LayoutOptions(time_column="b")).value_column == "a"

    def test_an_unknown_column_is_an_error_that_lists_those_there_are(self) -> None:
        with pytest.raises(InvalidInputError, match="utc, value") as caught:
            detect_layout(
                ["utc,value", "2026-01-31T12:00:00Z,1"], LayoutOptions(value_column="volts")
            )
        assert caught.value.value == "volts"

    def test_small_numbers_are_times_only_where_asked_for(self) -> None:
        lines = ["elapsed,volts", "0,1.5", "1,1.6"]
        with pytest.raises(InvalidInputError, match="time column"):
            detect_layout(lines, LayoutOptions())
        layout = detect_layout(lines, LayoutOptions(time_column="elapsed"))
        assert layout.times.epoch_unit is EpochUnit.S

    @pytest.mark.parametrize(
        ("count", "unit"),
        [
            ("1769860800", EpochUnit.S),
            ("1769860800.25", EpochUnit.S),
            ("1769860800000", EpochUnit.MS),
            ("1769860800000000", EpochUnit.US),
            ("1769860800000000000", EpochUnit.NS),
        ],
    )
    def test_the_unit_of_epoch_times_follows_from_their_magnitude(
        self, count: str, unit: EpochUnit
    ) -> None:
        layout = detect_layout([f"{count},1.5"], LayoutOptions())
        assert layout.times == TimeFormat(unit)
        assert abs(layout.times.read(count) - NOON_US) < 1_000_000

    def test_a_given_epoch_unit_goes_before_the_magnitude(self) -> None:
        wanted = LayoutOptions(time_column="t", epoch_unit=EpochUnit.MS)
        assert detect_layout(["t,v", "1769860800,1"], wanted).times.epoch_unit is EpochUnit.MS

    @pytest.mark.parametrize("lines", [[], ["", "  "], ["one", "2"], ['"a,b', "1,2"]])
    def test_lines_without_columns_are_an_error(self, lines: list[str]) -> None:
        with pytest.raises(InvalidInputError):
            detect_layout(lines, LayoutOptions())

    def test_a_column_that_holds_no_times_is_an_error(self) -> None:
        with pytest.raises(InvalidInputError, match="ISO 8601 or epoch"):
            detect_layout(["t,v", "yesterday,1"], LayoutOptions(time_column="t"))


class TestRows:
    def test_blocks_continue_where_the_last_one_ended(self) -> None:
        head = ["utc,value", "2026-01-31T12:00:00Z,1"]
        parser = SampleParser(detect_layout(head, LayoutOptions()))
        first = parser.parse(b"utc,value\n2026-01-31T12:00:00Z,1\n")
        second = parser.parse(b"2026-01-31T12:00:01Z,2\nnever,3\n")
        assert first.samples.times_us.tolist() == [NOON_US]
        assert second.samples.values.tolist() == [2.0]
        assert [row.line for row in second.rejected] == [4]

    @pytest.mark.parametrize("newline", ["\n", "\r\n"])
    def test_line_ends_blank_lines_and_spaces_do_not_matter(self, newline: str) -> None:
        lines = ["", "utc , value", "", "2026-01-31T12:00:00Z, 1.5", " ", "2026-01-31 12:00:01Z,2"]
        parsed = parse(newline.join([*lines, ""]))
        assert parsed.samples.values.tolist() == [1.5, 2.0]
        assert parsed.samples.times_us.tolist() == [NOON_US, NOON_US + 1_000_000]
        assert parsed.rejected == ()

    def test_quoted_fields_may_hold_the_delimiter(self) -> None:
        parsed = parse('"time","note","v"\n"2026-01-31T12:00:00Z","a, ""b""",7\n')
        assert parsed.samples.values.tolist() == [7.0]

    @pytest.mark.parametrize(
        ("row", "reason"),
        [
            ("2026-01-31T12:00:01Z", Reason.FIELDS),
            ("2026-01-31T12:00:01Z,1,2", Reason.FIELDS),
            ('2026-01-31T12:00:01Z,"1', Reason.QUOTES),
            ("2026-02-30T12:00:01Z,1", Reason.TIME),
            ("12:00,1", Reason.TIME),
            (",1", Reason.TIME),
            ("2026-01-31T23:59:60Z,1", Reason.TIME),
            ("2026-01-31T12:00:01,1", Reason.NAIVE_TIME),
            ("0001-01-01T00:00:00+14:00,1", Reason.TIME_RANGE),
            ("2026-01-31T12:00:01Z,", Reason.EMPTY_VALUE),
            ("2026-01-31T12:00:01Z,on", Reason.VALUE),
            ("2026-01-31T12:00:01Z,1_000", Reason.VALUE),
            ("2026-01-31T12:00:01Z,\N{ARABIC-INDIC DIGIT ONE}", Reason.VALUE),
            ("2026-01-31T12:00:01Z,NaN", Reason.NON_FINITE),
            ("2026-01-31T12:00:01Z,-inf", Reason.NON_FINITE),
            ("2026-01-31T12:00:01Z,1e999", Reason.NON_FINITE),
        ],
    )
    def test_a_bad_row_is_named_and_the_good_ones_around_it_are_kept(
        self, row: str, reason: Reason
    ) -> None:
        parsed = parse(f"utc,value\n2026-01-31T12:00:00Z,1\n{row}\n2026-01-31T12:00:02Z,3\n")
        assert parsed.samples.values.tolist() == [1.0, 3.0]
        assert parsed.rows == 3
        (rejected,) = parsed.rejected
        assert (rejected.line, rejected.reason, rejected.text) == (3, reason, row)

    def test_text_that_is_no_utf8_spoils_its_own_row_only(self) -> None:
        layout = two_columns(TimeFormat())
        parsed = parse_by_row(b"\xff\xfe,1\n2026-01-31T12:00:00Z,2\n", layout, 1)
        assert parsed.samples.values.tolist() == [2.0]
        assert [row.reason for row in parsed.rejected] == [Reason.TIME]


class TestTimes:
    def test_a_local_time_is_read_in_the_given_zone(self) -> None:
        assert TimeFormat(None, PARIS).read("2026-01-31T13:00:00") == NOON_US
        assert TimeFormat(None, PARIS).read("2026-01-31T12:00:00Z") == NOON_US

    def test_a_local_time_that_occurs_twice_is_the_first_of_the_two(self) -> None:
        assert TimeFormat(None, PARIS).read("2026-10-25T02:30:00") == parse_us(
            "2026-10-25T02:30:00+02:00"
        )

    def test_a_local_time_that_is_skipped_counts_in_the_offset_before(self) -> None:
        assert TimeFormat(None, PARIS).read("2026-03-29T02:30:00") == parse_us(
            "2026-03-29T02:30:00+01:00"
        )

    @pytest.mark.parametrize(
        ("unit", "text", "us"),
        [
            (EpochUnit.S, "1769860800.000001", NOON_US + 1),
            (EpochUnit.S, "1.7698608e9", NOON_US),
            (EpochUnit.S, "-0.5", -500_000),
            (EpochUnit.S, "-0.0000001", -1),
            (EpochUnit.MS, "1769860800000.0019", NOON_US + 1),
            (EpochUnit.NS, "1769860800000001999", NOON_US + 1),
            (EpochUnit.NS, "-1", -1),
            (EpochUnit.S, "1e-999999999", 0),
        ],
    )
    def test_epoch_times_are_exact_and_finer_digits_cut_off(
        self, unit: EpochUnit, text: str, us: int
    ) -> None:
        assert TimeFormat(unit).read(text) == us

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("1e18", Reason.TIME_RANGE),
            ("1e300", Reason.TIME_RANGE),
            ("nan", Reason.TIME),
            ("1_0", Reason.TIME),
            ("noon", Reason.TIME),
            ("1e99999999999999999999", Reason.TIME),
            ("1e-99999999999999999999", Reason.TIME),
        ],
    )
    def test_epoch_times_that_are_none_are_refused(self, text: str, reason: Reason) -> None:
        with pytest.raises(RowError) as caught:
            TimeFormat(EpochUnit.S).read(text)
        assert caught.value.reason is reason


def assert_same(block: bytes, layout: Layout) -> None:
    """A block that can be parsed by column gives what it gives by row."""
    by_row = parse_by_row(block, layout, 1)
    by_column = parse_by_column(block, layout)
    if by_column is not None:
        assert by_row.rejected == ()
        assert (by_column.rows, by_column.missing) == (by_row.rows, by_row.missing)
        assert by_column.series.keys() == by_row.series.keys()
        for key, one in by_column.series.items():
            other = by_row.series[key]
            np.testing.assert_array_equal(one.samples.times_us, other.samples.times_us)
            np.testing.assert_array_equal(one.lines, other.lines)
            assert one.samples.values.tobytes() == other.samples.values.tobytes()


ISO_TEXTS = st.one_of(
    st.builds(
        lambda t, separator, digits, offset: (
            t.strftime(f"%Y-%m-%d{separator}%H:%M:%S").zfill(19)
            + (f".{t.microsecond * 1000:09}"[: 1 + digits] if digits else "")
            + offset
        ),
        st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001
        st.sampled_from("T "),
        st.sampled_from([0, 0, 1, 3, 3, 3, 6, 9]),
        st.sampled_from(["Z", "Z", "Z", "", "+02:00", "-11:30", "+23:59", "+24:00"]),
    ),
    st.sampled_from(
        ["2026-02-29T00:00:00Z", "2026-00-10T00:00:00Z", "2026-01-31T24:00:00Z", "x", ""]
    ),
)
EPOCH_TEXTS = st.one_of(
    st.integers(-(10**20), 10**20).map(str),
    st.integers(10**9, 2 * 10**9).map(str),
    st.integers(10**18, 2 * 10**18).map(str),
    st.decimals(0, 10**11, places=3).map(str),
    st.decimals(10**9, 2 * 10**9, places=7).map(str),
    st.floats(allow_nan=False).map(repr),
)
VALUE_TEXTS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.integers().map(str),
    st.sampled_from([" 1", "1 ", "1.", ".5", "-0", "+1e3", "1_0", "nan", "", "0x1"]),
)
FORMATS = st.builds(
    TimeFormat,
    st.none(),
    st.sampled_from(
        [None, UTC, PARIS, ZoneInfo("Australia/Lord_Howe"), timezone(timedelta(1 / 9))]
    ),
)


class TestBothWays:
    @settings(max_examples=400, deadline=None)
    @given(
        FORMATS,
        st.lists(st.tuples(ISO_TEXTS, VALUE_TEXTS), min_size=1, max_size=5),
    )
    def test_iso_rows_agree(self, times: TimeFormat, rows: list[tuple[str, str]]) -> None:
        block = "".join(f"{time},{value}\n" for time, value in rows).encode()
        assert_same(block, two_columns(times))

    @settings(max_examples=400, deadline=None)
    @given(
        st.sampled_from(EpochUnit),
        st.lists(st.tuples(EPOCH_TEXTS, VALUE_TEXTS), min_size=1, max_size=5),
    )
    def test_epoch_rows_agree(self, unit: EpochUnit, rows: list[tuple[str, str]]) -> None:
        block = "".join(f"{time},{value}\n" for time, value in rows).encode()
        assert_same(block, two_columns(TimeFormat(unit)))

    @settings(max_examples=200, deadline=None)
    @given(st.text(alphabet='0123456789-:.TZ, ;"\n\r\t\x00e', max_size=80))
    def test_any_text_agrees(self, text: str) -> None:
        assert_same(f"{text}\n".encode().replace(b"\r\n", b"\n"), two_columns(TimeFormat()))

    @settings(max_examples=100, deadline=None)
    @given(
        st.datetimes(datetime(1972, 1, 1), datetime(2037, 1, 1)),  # noqa: DTZ001
        st.integers(1, 40_000),
        st.sampled_from([None, 0, 3, 6]),
        st.sampled_from([UTC, PARIS, ZoneInfo("Australia/Sydney"), ZoneInfo("Asia/Kolkata")]),
    )
    def test_regular_columns_are_parsed_by_column_and_exactly(
        self, start: datetime, step_s: int, digits: int | None, zone: ZoneInfo
    ) -> None:
        timespec = {None: "auto", 0: "seconds", 3: "milliseconds", 6: "microseconds"}[digits]
        local = [start + timedelta(seconds=step_s * i) for i in range(300)]
        texts = [t.isoformat(timespec=timespec) for t in local]
        block = "".join(f"{text},{i / 7!r}\n" for i, text in enumerate(texts)).encode()
        parsed = parse_by_column(block, two_columns(TimeFormat(None, zone)))
        assert parsed is not None
        samples = parsed.samples
        expected = [to_us(datetime.fromisoformat(text).replace(tzinfo=zone)) for text in texts]
        assert samples.times_us.tolist() == expected
        assert samples.values.tolist() == [i / 7 for i in range(300)]

    @given(st.sampled_from(EpochUnit), st.integers(10**9, 10**10 - 1), st.integers(0, 999_999))
    @settings(deadline=None)
    def test_epoch_columns_are_parsed_by_column_and_exactly(
        self, unit: EpochUnit, seconds: int, us: int
    ) -> None:
        exact_us = seconds * 1_000_000 + us
        count = Decimal(exact_us).scaleb(-unit.decimals)
        text = f"{count:f}"
        parsed = parse_by_column(f"{text},1\n{text},2\n".encode(), two_columns(TimeFormat(unit)))
        assert parsed is not None
        assert parsed.samples.times_us.tolist() == [exact_us, exact_us]

    @pytest.mark.parametrize(
        "spoiled", ["2026-01-31T12:00:00Z,\n", '2026-01-31T12:00:00Z,"1"\n', "\n", "a,b,c\n"]
    )
    def test_one_odd_row_sends_the_whole_block_row_by_row(self, spoiled: str) -> None:
        regular = "2026-01-31T12:00:00Z,1.5\n" * 3
        layout = two_columns(TimeFormat())
        assert parse_by_column(regular.encode(), layout) is not None
        assert parse_by_column((regular + spoiled).encode(), layout) is None
