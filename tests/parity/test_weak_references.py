"""Whoever keeps aggregators by name may refer to them weakly, on either twin."""

from __future__ import annotations

import weakref

import pytest

from aetherops.telemetry import Moments, SlidingWindow, StreamingAggregator

MADE = {
    "BlockMoments": lambda core: core.BlockMoments([1.0]),
    "Accumulator": lambda core: core.Accumulator([], nan_policy="omit"),
    "Buckets": lambda core: core.Buckets(3),
    "SlidingMoments": lambda core: core.SlidingMoments(size=3),
}


@pytest.mark.parametrize("kind", MADE)
def test_twins_can_be_referred_to_weakly(cores, kind):
    for core in cores:
        made = MADE[kind](core)
        reference = weakref.ref(made)
        assert reference() is made
        del made
        assert reference() is None


def test_aggregators_and_windows_can_be_referred_to_weakly():
    for made in (Moments([1.0]), SlidingWindow(size=3), StreamingAggregator(2)):
        assert weakref.ref(made)() is made
