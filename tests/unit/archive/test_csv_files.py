"""What files of the field look like: units by the bulk, several columns, objects, fill values."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from aetherops.archive.csv.layout import Layout, LayoutOptions, detect_layout
from aetherops.archive.csv.samples import (
    ParsedBlock,
    SampleParser,
    SeriesKey,
    parse_by_column,
    parse_by_row,
)
from aetherops.archive.csv.times.texts import EpochUnit, Reason, RowError, TimeFormat
from aetherops.archive.csv.values import ValueFormat
from aetherops.errors import InvalidInputError
from aetherops.instants import parse_us, to_iso

NOON_US = parse_us("2026-01-31T12:00:00Z")
NOON_S = NOON_US // 1_000_000


def parse(text: str, wanted: LayoutOptions = LayoutOptions()) -> ParsedBlock:  # noqa: B008
    return SampleParser(detect_layout(text.splitlines(), wanted)).parse(text.encode())


def values_of(parsed: ParsedBlock) -> dict[SeriesKey, list[float]]:
    return {key: one.samples.values.tolist() for key, one in parsed.series.items()}


class TestEpochUnit:
    @pytest.mark.parametrize("place", [0, 500, 999])
    @pytest.mark.parametrize("odd", [f"{NOON_S}000", f"{NOON_S}000000", f"{NOON_S}000000000"])
    def test_one_row_in_another_unit_is_named_and_the_bulk_decides(
        self, place: int, odd: str
    ) -> None:
        rows = [f"{NOON_S + i},{i}" for i in range(1_000)]
        rows[place] = f"{odd},{place}"
        parsed = parse("\n".join(["t,v", *rows, ""]))
        assert to_iso(int(parsed.samples.times_us.min())).startswith("2026-01-31T12:00:0")
        assert len(parsed.samples) == 999
        (rejected,) = parsed.rejected
        assert (rejected.line, rejected.reason) == (place + 2, Reason.OTHER_UNIT)

    def test_a_row_of_zero_among_milliseconds_is_named(self) -> None:
        parsed = parse(f"t,v\n{NOON_S}000,1\n{NOON_S}001,2\n0,3\n", LayoutOptions(time_column="t"))
        assert [row.reason for row in parsed.rejected] == [Reason.OTHER_UNIT]

    def test_a_given_unit_takes_every_row(self) -> None:
        wanted = LayoutOptions(time_column="t", epoch_unit=EpochUnit.S)
        parsed = parse(f"t,v\n{NOON_S},1\n{NOON_S},2\n1,3\n99999999999,4\n", wanted)
        assert (len(parsed.samples), parsed.rejected) == (4, ())

    @settings(max_examples=300, deadline=None)
    @given(
        st.sampled_from(EpochUnit),
        st.lists(
            st.one_of(
                st.integers(0, 18).map(lambda n: str(10**n)),
                st.integers(1, 18).map(lambda n: str(10**n - 1)),
                st.integers(0, 2 * 10**18).map(str),
            ),
            min_size=1,
            max_size=4,
        ),
    )
    def test_columns_and_rows_agree_on_which_rows_are_of_another_unit(
        self, unit: EpochUnit, counts: list[str]
    ) -> None:
        layout = Layout(",", ("t", "v"), False, 0, 1, TimeFormat(unit, inferred=True))
        block = "".join(f"{count},1\n" for count in counts).encode()
        by_row, by_column = parse_by_row(block, layout, 1), parse_by_column(block, layout)
        if by_column is not None:
            assert by_row.rejected == ()
            assert by_column.samples.times_us.tolist() == by_row.samples.times_us.tolist()
        for row in by_row.rejected:
            if row.reason is Reason.OTHER_UNIT:
                assert EpochUnit.of_magnitude(int(row.text.split(",")[0])) is not unit


class TestDayOfYear:
    @pytest.mark.parametrize(
        ("text", "same"),
        [
            ("2026-331T12:00:00.5Z", "2026-11-27T12:00:00.5Z"),
            ("2024-366T00:00:00Z", "2024-12-31T00:00:00Z"),
            ("2026-001T00:00:00+02:00", "2025-12-31T22:00:00Z"),
        ],
    )
    def test_a_year_and_a_day_of_it_are_a_date(self, text: str, same: str) -> None:
        assert TimeFormat().read(text) == parse_us(same)
        assert detect_layout(["t,v", f"{text},1"], LayoutOptions()).time_column == "t"

    @pytest.mark.parametrize(
        "text", ["2026-366T00:00:00Z", "2026-000T00:00:00Z", "9999-366T00:00Z"]
    )
    def test_a_day_that_the_year_has_not_is_refused(self, text: str) -> None:
        with pytest.raises(RowError) as caught:
            TimeFormat().read(text)
        assert caught.value.reason is Reason.TIME

    def test_without_offset_it_is_no_instant(self) -> None:
        with pytest.raises(RowError) as caught:
            TimeFormat().read("2026-331T12:00:00")
        assert caught.value.reason is Reason.NAIVE_TIME

    @settings(max_examples=200, deadline=None)
    @given(st.dates(date(1, 1, 2), date(9999, 12, 30)), st.integers(0, 86_399), st.integers(1, 9))
    def test_whole_columns_are_read_exactly(self, day: date, second: int, digits: int) -> None:
        clock = f"{timedelta(seconds=second)}".zfill(8)
        text = f"{day.year:04}-{day.timetuple().tm_yday:03}T{clock}.{'123456789'[:digits]}Z"
        layout = Layout(",", ("t", "v"), False, 0, 1, TimeFormat())
        parsed = parse_by_column(f"{text},1\n{text},2\n".encode(), layout)
        assert parsed is not None
        expected = parse_us(f"{day.isoformat()}T{clock}.{'123456789'[: min(digits, 6)]}Z")
        assert parsed.samples.times_us.tolist() == [expected, expected]


class TestDecimalComma:
    TEXT = "t;v\n2026-01-31T12:00:00Z;1,5\n2026-01-31T12:00:01,25Z;-2,25e3\n"

    def test_it_is_found_and_told(self) -> None:
        layout = detect_layout(self.TEXT.splitlines(), LayoutOptions())
        assert layout.values.decimal_comma
        assert "decimal comma" in str(layout)
        parsed = parse(self.TEXT)
        assert parsed.samples.values.tolist() == [1.5, -2250.0]
        assert parsed.samples.times_us.tolist() == [NOON_US, NOON_US + 1_250_000]

    def test_what_may_be_thousands_is_asked_about(self) -> None:
        lines = ["t;v", "2026-01-31T12:00:00Z;1,234", "2026-01-31T12:00:01Z;12,345"]
        with pytest.raises(InvalidInputError, match="thousands"):
            detect_layout(lines, LayoutOptions())
        assert detect_layout(lines, LayoutOptions(decimal_comma=True)).values.decimal_comma

    def test_a_point_is_no_part_of_such_a_number(self) -> None:
        parsed = parse(self.TEXT + "2026-01-31T12:00:02Z;1.234,5\n")
        assert [row.reason for row in parsed.rejected] == [Reason.VALUE]

    def test_epoch_times_may_have_one_too(self) -> None:
        parsed = parse(f"t;v\n{NOON_S},5;1,5\n{NOON_S + 1},5;2,5\n")
        assert parsed.samples.times_us.tolist() == [NOON_US + 500_000, NOON_US + 1_500_000]

    @given(st.lists(st.text(alphabet="0123456789,.-e _", max_size=6), min_size=1, max_size=4))
    @settings(max_examples=300, deadline=None)
    def test_columns_and_rows_agree(self, texts: list[str]) -> None:
        layout = Layout(
            ";", ("t", "v"), False, 0, 1, TimeFormat(), ValueFormat(True, frozenset({"9,5"}))
        )
        block = "".join(f"2026-01-31T12:00:00Z;{text}\n" for text in texts).encode()
        by_row, by_column = parse_by_row(block, layout, 1), parse_by_column(block, layout)
        if by_column is not None:
            assert (by_row.rejected, by_row.missing) == ((), by_column.missing)
            assert values_of(by_column) == values_of(by_row)


class TestComments:
    def test_lines_that_begin_with_a_hash_are_no_rows(self) -> None:
        parsed = parse("# made by hand\nt,v\n2026-01-31T12:00:00Z,1\n  # pause\nbad,2\n")
        assert (parsed.rows, parsed.samples.values.tolist()) == (2, [1.0])
        assert [row.line for row in parsed.rejected] == [5]

    def test_a_name_that_two_columns_bear_is_told_with_their_numbers(self) -> None:
        lines = ["time,value,value", "2026-01-31T12:00:00Z,1,2"]
        with pytest.raises(InvalidInputError, match=r"one column alone, or its number \(2, 3\)"):
            detect_layout(lines, LayoutOptions(value_column="value"))
        assert detect_layout(lines, LayoutOptions(value_column="3")).value_column == "value"

    def test_a_comment_before_the_rows_may_name_the_columns(self) -> None:
        lines = ["# 2 columns", "# utc,volts", "2026-01-31T12:00:00Z,1"]
        layout = detect_layout(lines, LayoutOptions(value_column="volts"))
        assert (layout.columns, layout.has_header) == (("utc", "volts"), False)
        assert parse("\n".join([*lines, ""])).samples.values.tolist() == [1.0]

    def test_a_comment_of_another_shape_names_nothing(self) -> None:
        layout = detect_layout(["# to whom it concerns", "2026-01-31T12:00:00Z,1"], LayoutOptions())
        assert layout.columns == ("1", "2")


class TestMissing:
    TEXT = "t,v\n2026-01-31T12:00:00Z,1\n2026-01-31T12:00:01Z,{}\n2026-01-31T12:00:02Z,3\n"

    @pytest.mark.parametrize(
        ("text", "missing"),
        [
            ("-9999.9", "-9999.9"),
            ("-9999.90", "-9999.9"),
            ("-9.9999e3", "-9999.9"),
            ("NaN", "nan"),
            ("-nan", "NaN"),
            ("n/a", "n/a"),
            ("", ""),
            ("inf", "inf"),
        ],
    )
    def test_what_stands_for_no_value_is_a_gap_and_no_mistake(
        self, text: str, missing: str
    ) -> None:
        parsed = parse(self.TEXT.format(text), LayoutOptions(missing=frozenset({missing, "-1"})))
        assert parsed.samples.values.tolist() == [1.0, 3.0]
        assert (parsed.missing, parsed.rejected, parsed.rows) == (1, (), 3)

    def test_other_numbers_stay_values(self) -> None:
        parsed = parse(self.TEXT.format("-9999.8"), LayoutOptions(missing=frozenset({"-9999.9"})))
        assert (len(parsed.samples), parsed.missing) == (3, 0)

    def test_fill_values_do_not_hide_what_a_column_is(self) -> None:
        lines = ["t,v", *["2026-01-31T12:00:00Z,--"] * 5, "2026-01-31T12:00:01Z,1,5"[:-2]]
        layout = detect_layout(lines, LayoutOptions(missing=frozenset({"--"})))
        assert layout.value_column == "v"


class TestSeveralColumns:
    TEXT = "time,note,density,speed\n2026-01-31T12:00:00Z,a,2.5,575\n2026-01-31T12:00:01Z,b,,576\n"

    def test_all_columns_of_numbers_are_read(self) -> None:
        parsed = parse(self.TEXT, LayoutOptions(all_columns=True))
        assert values_of(parsed) == {SeriesKey(2): [2.5], SeriesKey(3): [575.0, 576.0]}

    def test_named_columns_are_read_in_their_order(self) -> None:
        layout = detect_layout(self.TEXT.splitlines(), LayoutOptions(value_columns=("speed", "3")))
        assert layout.value_indices == (3, 2)

    def test_a_bad_value_spoils_its_column_of_the_row_only(self) -> None:
        (rejected,) = parse(self.TEXT, LayoutOptions(all_columns=True)).rejected
        assert (rejected.line, rejected.reason) == (3, Reason.EMPTY_VALUE)
        assert rejected.detail.startswith("density: ")

    def test_no_column_of_numbers_is_an_error(self) -> None:
        with pytest.raises(InvalidInputError, match="value column"):
            detect_layout(["time,note", "2026-01-31T12:00:00Z,a"], LayoutOptions(all_columns=True))


class TestObjects:
    TEXT = "".join(
        f"2026-01-31T12:00:{i:02}Z,{name},{i + shift}\n"
        for i in range(3)
        for shift, name in ((0, "A 1"), (100, "B"))
    )

    @pytest.mark.parametrize("spoiled", ["", "2026-01-31T12:01:00Z,A 1,bad\n"])
    def test_each_object_has_its_series_and_lines(self, spoiled: str) -> None:
        """By column, and row by row where a row is bad."""
        parsed = parse("t,who,v\n" + self.TEXT + spoiled, LayoutOptions(split_by="who"))
        assert values_of(parsed) == {
            SeriesKey(2, "A 1"): [0.0, 1.0, 2.0],
            SeriesKey(2, "B"): [100.0, 101.0, 102.0],
        }
        assert parsed.series[SeriesKey(2, "B")].lines.tolist() == [3, 5, 7]

    def test_a_row_without_object_is_named(self) -> None:
        parsed = parse(
            "t,who,v\n2026-01-31T12:00:00Z,,1\n" + self.TEXT, LayoutOptions(split_by="who")
        )
        assert [(row.line, row.reason) for row in parsed.rejected] == [(2, Reason.OBJECT)]

    def test_numbers_may_name_objects(self) -> None:
        layout = detect_layout(
            ["t,norad,v", "2026-01-31T12:00:00Z,25544,1"], LayoutOptions(split_by="norad")
        )
        assert (layout.value_column, layout.split_index) == ("v", 1)

    def test_times_and_values_do_not(self) -> None:
        for column in ("t", "v"):
            with pytest.raises(InvalidInputError):
                detect_layout(
                    ["t,v", "2026-01-31T12:00:00Z,1"],
                    LayoutOptions(split_by=column, value_column="v"),
                )
