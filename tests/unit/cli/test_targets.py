"""Names of streams from columns and objects."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from aetherops.archive.csv.layout import Layout
from aetherops.archive.csv.reasons import Reason, RowError
from aetherops.archive.csv.samples import SeriesKey
from aetherops.archive.csv.times.texts import TimeFormat
from aetherops.archive.stream import StreamName
from aetherops.cli.ingest.targets import ColumnTarget, Targets, name_part, parse_mapping
from aetherops.errors import InvalidInputError, LimitExceededError

SPLIT = Layout(",", ("t", "who", "v"), True, 0, 2, TimeFormat(), split_index=1)
WIDE = Layout(",", ("t", "a b", "c"), True, 0, 1, TimeFormat(), more_values=(2,))


def targets(layout: Layout, template: str) -> Targets:
    return Targets.of(layout, {None: ColumnTarget(template, "", "gauge")})


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("NOAA 19", "NOAA_19"),
        ("ISS (ZARYA)", "ISS_ZARYA"),
        ("25544", "25544"),
        ("sat-7.b:c+d", "sat-7.b:c+d"),
        ("_x_", "x_"),
        ("/", ""),
        ("°C", "C"),
    ],
)
def test_what_names_may_not_hold_becomes_an_underscore(text: str, part: str) -> None:
    assert name_part(text) == part


@given(st.text(max_size=64))
def test_a_part_is_valid_or_empty(text: str) -> None:
    part = name_part(text)
    if part:
        StreamName.parse(f"a/{part}/c")


def test_an_object_has_its_stream() -> None:
    found = targets(SPLIT, "orbit/{object}/altitude_km")
    assert str(found.stream_of(SeriesKey(2, "NOAA 19")).name) == "orbit/NOAA_19/altitude_km"


@pytest.mark.parametrize("name", ["A_B", "", "(", "x" * 65])
def test_an_object_without_a_name_of_its_own_is_named(name: str) -> None:
    found = targets(SPLIT, "orbit/{object}/v")
    found.stream_of(SeriesKey(2, "A B"))
    with pytest.raises(RowError) as caught:
        found.stream_of(SeriesKey(2, name))
    assert caught.value.reason is Reason.OBJECT


def test_a_column_that_tells_no_objects_apart_is_refused() -> None:
    found = targets(SPLIT, "orbit/{object}/v")
    for i in range(10_000):
        found.stream_of(SeriesKey(2, str(i)))
    with pytest.raises(LimitExceededError, match="objects in column who"):
        found.stream_of(SeriesKey(2, "one more"))


@pytest.mark.parametrize(
    ("layout", "template"),
    [
        (SPLIT, "orbit/sat/v"),
        (WIDE, "orbit/{object}/{column}"),
        (WIDE, "orbit/sat/v"),
        (WIDE, "orbit/{column}"),
    ],
)
def test_templates_that_cannot_be_are_refused(layout: Layout, template: str) -> None:
    with pytest.raises(InvalidInputError, match="--stream"):
        targets(layout, template)


def test_columns_give_their_names() -> None:
    found = targets(WIDE, "x/y/{column}")
    names = [str(found.stream_of(SeriesKey(index)).name) for index in WIDE.value_indices]
    assert names == ["x/y/a_b", "x/y/c"]


@pytest.mark.parametrize(
    ("text", "column", "template", "unit"),
    [
        ("speed=noaa/rtsw/speed", "speed", "noaa/rtsw/speed", "V"),
        ("a=b=noaa/rtsw/speed [km/s]", "a=b", "noaa/rtsw/speed", "km/s"),
        ("3=x/{object}/v[]", "3", "x/{object}/v", ""),
    ],
)
def test_a_mapping_names_column_stream_and_unit(
    text: str, column: str, template: str, unit: str
) -> None:
    assert parse_mapping(text, "V", "gauge") == (
        column,
        ColumnTarget(template, unit, "gauge", "--map"),
    )


@pytest.mark.parametrize("text", ["", "speed", "=a/b/c", "speed="])
def test_a_text_that_maps_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match="--map"):
        parse_mapping(text, "", "gauge")
