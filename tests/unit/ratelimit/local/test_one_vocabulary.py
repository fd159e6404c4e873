"""Limiters show one word for each thing, and keep their kernels behind it."""

import copy
import inspect
import pickle

import pytest

from aetherops.core import KeyedCounters, KeyedLimiter
from aetherops.core._pure.ratelimit import keyed_limiter, sliding_counters
from aetherops.ratelimit import FixedWindowLimiter, LocalLimiter, SlidingWindowLimiter, TokenBucket

SHARED = {
    *("allow", "allow_many", "decide", "peek", "refund", "reset", "clear", "keys"),
    *("usage", "retry_after", "snapshot", "state", "restore", "change", "scale"),
    *("limits", "nominal_limits", "max_keys", "granted_total", "refused_total"),
}


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize(
    ("kind", "own"),
    [
        (LocalLimiter, set()),
        (FixedWindowLimiter, set()),
        (SlidingWindowLimiter, set()),
        (TokenBucket, {"acquire", "acquire_async", "reserve"}),
    ],
)
def test_only_the_words_of_limiters_are_shown(kind, own):
    assert public(kind) == SHARED | own
    assert not issubclass(kind, KeyedCounters)
    for name in SHARED | own:
        assert inspect.getdoc(getattr(kind, name)), name


def test_every_word_reaches_the_counters():
    bucket = TokenBucket(10, 1, max_keys=5)
    assert KeyedLimiter.allow(bucket, "k", 3)
    assert bucket.allow_many(["k", "k"], [7, 1]) == bytearray([1, 0])
    bucket.refund("k", 2)
    assert ("k" in bucket, "other" in bucket, len(bucket), bucket.keys()) == (True, False, 1, ["k"])
    assert (bucket.max_keys, bucket.granted_total, bucket.refused_total) == (5, 2, 1)
    bucket.reset("k")
    bucket.allow("k")
    bucket.clear()
    assert len(bucket) == 0


@pytest.mark.parametrize("attempt", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_limiter_is_neither_copied_nor_pickled(attempt):
    pure = keyed_limiter.KeyedLimiter(sliding_counters.SlidingCounters(9, 1000, 1, True))
    for limiter in (TokenBucket(1, 1), pure):
        with pytest.raises(TypeError, match="state"):
            attempt(limiter)


def test_a_strict_window_whose_cells_are_all_in_use_counts_in_the_newest():
    counters = sliding_counters.SlidingCounters(9, 1000, 1, True)
    assert all(counters.allow("k", 2, at_us) for at_us in (1, 2, 3, 4))
    assert counters.inspect("k", 1, 1003)[2] == 5  # the first two cells have left
    assert counters.inspect("k", 1, 1004)[2] == 9
