"""Versions: ordered by epoch, then by sequence, above all that a clock ever made."""

from hypothesis import given, strategies as st

from aetherops.archive.acceptance import FIRST_EPOCH, split_version, version_of
from aetherops.instants import parse_us

places = st.tuples(st.integers(FIRST_EPOCH, 2**19 - 1), st.integers(0, 2**44 - 1))


@given(places, places)
def test_versions_are_ordered_as_epochs_and_sequences(one, other):
    assert (version_of(*one) < version_of(*other)) == (one < other)
    assert split_version(version_of(*one)) == one


@given(places)
def test_every_version_fits_into_64_bits_with_a_sign(place):
    assert 0 < version_of(*place) < 2**63


def test_the_first_version_is_above_those_of_clocks_for_years():
    of_a_clock = parse_us("2040-12-31T00:00:00Z") << 10 | 1023

    assert of_a_clock < version_of(FIRST_EPOCH, 0)
    assert split_version(of_a_clock) is None
