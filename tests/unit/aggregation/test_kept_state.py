"""What earlier versions wrote, as bytes and as pickles, is read for ever."""

from __future__ import annotations

import base64
import json
import math
import pickle
from array import array
from pathlib import Path

import pytest

from aetherops.telemetry import Moments, SlidingWindow, StreamingAggregator

KEPT = json.loads((Path(__file__).with_name("kept") / "version_0_1_0.json").read_text())
FUNCTIONS = ("mean", "median", "min", "max", "last")
VALUES = [math.sin(i) * 100 + i / 7 for i in range(530)]
VALUES[400] = 900.0


def aggregator():
    made = StreamingAggregator([10, 64], FUNCTIONS, decimals=None)
    made.push_many(VALUES)
    return made


def online():
    made = StreamingAggregator(7, "mean", mode="online", warmup=5, anomaly_threshold=3.0)
    made.push_many(VALUES)
    return made


def sliding():
    made = SlidingWindow(size=40)
    made.push_many(VALUES)
    return made


def sliding_by_time():
    made = SlidingWindow(duration_us=500)
    made.push_many(VALUES, array("q", range(0, 5300, 10)))
    return made


# What was kept, made anew.
MADE = {
    "moments": lambda: Moments(VALUES),
    "moments_omitting": lambda: Moments([1.0, math.nan, 3.0], nan_policy="omit"),
    "moments_empty": Moments,
    "aggregator": aggregator,
    "aggregator_online": online,
    "sliding": sliding,
    "sliding_by_time": sliding_by_time,
    "window_summary": lambda: aggregator().snapshot(),
    "drained": lambda: online().drain(),
}


def all_of(thing):
    """Everything that a thing would tell, its future included."""
    return thing.to_bytes() if hasattr(thing, "to_bytes") else pickle.dumps(thing, 5)


def test_everything_that_was_kept_is_looked_at():
    assert set(KEPT) == set(MADE)


@pytest.mark.parametrize("protocol", ["2", "5"])
@pytest.mark.parametrize("name", KEPT)
def test_a_pickle_of_then_is_the_thing_made_now(name, protocol):
    revived = pickle.loads(base64.b64decode(KEPT[name]["pickles"][protocol]))
    made = MADE[name]()
    assert type(revived) is type(made)
    assert all_of(revived) == all_of(made)


@pytest.mark.parametrize("name", [name for name in KEPT if "bytes" in KEPT[name]])
def test_bytes_of_then_are_read_and_written_alike(name):
    kept = base64.b64decode(KEPT[name]["bytes"])
    made = MADE[name]()
    assert type(made).from_bytes(kept).to_bytes() == made.to_bytes() == kept
