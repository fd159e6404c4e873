"""What dashboards read."""

from aetherops.ratelimit import FixedWindowLimiter, KeyUsage, TokenBucket


def test_a_snapshot_shows_totals_and_the_keys_that_used_most(clock):
    bucket = TokenBucket(10, 1, max_keys=500, clock_ns=clock)
    for i in range(8):
        bucket.allow(f"k{i}", i + 1)
    bucket.allow("k7", 9)
    snapshot = bucket.snapshot(top=3)
    assert (snapshot.keys, snapshot.max_keys) == (8, 500)
    assert (snapshot.granted_total, snapshot.refused_total) == (8, 1)
    assert snapshot.factor_permille == 1000
    assert snapshot.top == (
        KeyUsage("k7", 10, 2, 0.8),
        KeyUsage("k6", 10, 3, 0.7),
        KeyUsage("k5", 10, 4, 0.6),
    )
    clock.advance(100)
    assert bucket.snapshot().top[0].usage == 0.0


def test_a_snapshot_of_nothing_is_empty():
    assert FixedWindowLimiter(3).snapshot().top == ()


def test_usage_is_a_share_rounded_to_four_digits(clock):
    window = FixedWindowLimiter(7, 10, clock_ns=clock)
    assert window.usage("k") == 0.0
    window.allow("k", 3)
    assert window.usage("k") == 0.4286


def test_keys_are_listed_and_found(clock):
    bucket = TokenBucket(3, 1, clock_ns=clock)
    bucket.allow("a")
    bucket.allow(5)
    assert bucket.keys() == ["a", 5]
    assert "a" in bucket
    assert 5 in bucket
    assert "5" not in bucket
    assert None not in bucket
    assert len(bucket) == 2
