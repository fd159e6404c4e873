"""Instants that a file has more than once."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings, strategies as st

from aetherops.archive.csv.samples import ParsedSeries
from aetherops.archive.samples import Samples
from aetherops.cli.ingest.reading.repeats import Repeat, Repeats, SeenInstants

INSTANTS = st.one_of(st.integers(0, 20), st.integers(-(2**62), 2**62))


@given(st.lists(st.lists(INSTANTS, min_size=1, max_size=12), max_size=8))
@settings(deadline=None)
def test_rows_that_repeat_are_found_as_by_a_set(blocks: list[list[int]]) -> None:
    seen, expected = SeenInstants(), set[int]()
    for block in blocks:
        rows = []
        for row, time_us in enumerate(block):
            if time_us in expected:
                rows.append(row)
            expected.add(time_us)
        assert seen.add(np.array(block, np.int64)).tolist() == rows


def test_instants_in_order_take_little_room() -> None:
    seen = SeenInstants()
    for i in range(10):
        seen.add(np.arange(i * 10_000, (i + 1) * 10_000) * 1_000_000)
    assert sum(map(len, seen._runs)) < 10_000


def test_the_first_ones_are_named_by_line_and_streams_are_apart() -> None:
    repeats = Repeats()
    for stream in ("a", "b"):
        samples = Samples.of([5, 7, 5, 7, 5], [0.0] * 5)
        repeats.add(stream, ParsedSeries(samples, np.arange(2, 7)))
    assert repeats.count == 6
    assert repeats.first == [Repeat(4, 5), Repeat(5, 7)]
