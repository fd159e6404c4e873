"""Stream names have three plain parts."""

import pytest

from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import InvalidInputError


def test_a_name_reads_back_as_it_was_written():
    assert str(StreamName.parse("orbit/sat-7/altitude_km")) == "orbit/sat-7/altitude_km"


@pytest.mark.parametrize(
    "text",
    ["", "a", "a/b", "a/b/c/d", "a//c", "/b/c", "a/b/c ", "a/b/é", "-a/b/c", "a/b/" + "x" * 65],
)
def test_anything_but_three_plain_parts_is_refused_by_name(text):
    with pytest.raises(InvalidInputError) as refused:
        StreamName.parse(text, "series[3].name")
    assert refused.value.field == "series[3].name"
    assert refused.value.value == text


def test_a_unit_is_short_printable_text():
    with pytest.raises(InvalidInputError, match="unit"):
        Stream(StreamName("a", "b", "c"), unit="k\nm")


def test_an_unknown_kind_lists_the_known_ones():
    with pytest.raises(InvalidInputError, match="gauge, counter, state"):
        Stream(StreamName("a", "b", "c"), kind="guage")
