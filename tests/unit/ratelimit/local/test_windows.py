"""Fixed and sliding windows; the strict one against an exact log of what it granted."""

import pytest
from hypothesis import given, settings, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import FixedWindowLimiter, Reason, SlidingWindowLimiter


def test_a_fixed_window_opens_with_the_first_request(clock):
    window = FixedWindowLimiter(3, 10, clock_ns=clock)
    assert [window.allow("k") for _ in range(4)] == [True, True, True, False]
    assert window.retry_after("k") == 10.0
    clock.advance(9.999_999)
    assert not window.allow("k")
    clock.advance(0.000_001)
    assert window.decide("k", 2) == (True, 3, 1, 0, 10**7, Reason.GRANTED)


def test_a_fixed_window_tells_never_for_a_cost_above_its_limit(clock):
    window = FixedWindowLimiter(3, 10, clock_ns=clock)
    assert window.decide("k", 4).reason is Reason.TOO_LARGE
    assert window.allow("k", 2)
    assert window.decide("k", 4) == (False, 3, 1, None, 10**7, Reason.TOO_LARGE)


def test_what_a_fixed_window_is_given_back_may_be_used_again(clock):
    window = FixedWindowLimiter(3, 10, clock_ns=clock)
    window.allow("k", 3)
    window.refund("k", 2)
    assert window.peek("k").remaining == 2
    window.refund("k", 9)
    assert window.peek("k", 3).allowed


def test_an_interpolated_window_weights_its_oldest_part():
    window = SlidingWindowLimiter(100, 10, 1, mode="interpolated", clock_ns=lambda: 0)
    assert window.allow("k", 80, now_us=5_000_000)
    # A quarter into the next window, three quarters of the 80 still count.
    assert window.peek("k", now_us=12_500_000).remaining == 40
    assert window.decide("k", 41, now_us=12_500_000).retry_after_us == 125_000
    assert window.decide("k", 41, now_us=12_625_000).allowed


def test_an_interpolated_window_may_let_nearly_twice_the_limit_pass():
    window = SlidingWindowLimiter(100, 10, 1, mode="interpolated", clock_ns=lambda: 0)
    assert window.allow("k", 100, now_us=9_999_999)
    assert window.allow("k", 99, now_us=19_900_000)


def test_a_strict_window_counts_until_the_last_grant_has_left():
    window = SlidingWindowLimiter(100, 10, 1, clock_ns=lambda: 0)
    assert window.allow("k", 100, now_us=9_999_999)
    refused = window.decide("k", 1, now_us=19_900_000)
    assert (refused.allowed, refused.retry_after_us) == (False, 99_999)
    assert window.decide("k", 100, now_us=19_999_999).allowed


@settings(deadline=None, max_examples=200)
@given(
    limit=st.integers(1, 12),
    window_us=st.integers(1, 50),
    sub_windows=st.integers(1, 10),
    steps=st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5)), max_size=80),
)
def test_no_window_of_a_strict_limiter_holds_more_than_its_limit(
    limit, window_us, sub_windows, steps
):
    window = SlidingWindowLimiter(limit, window_us / 1e6, sub_windows, clock_ns=lambda: 0)
    log, now_us = [], 0
    for wait_us, cost in steps:
        now_us += wait_us
        if window.allow("k", cost, now_us):
            log.append((now_us, cost))
            held = sum(spent for at_us, spent in log if at_us > now_us - window_us)
            assert held <= limit


@settings(deadline=None)
@given(
    mode=st.sampled_from(["strict", "interpolated"]),
    sub_windows=st.integers(1, 10),
    steps=st.lists(st.tuples(st.integers(0, 400), st.integers(1, 12)), min_size=1, max_size=40),
)
def test_retry_after_is_the_first_instant_at_which_the_cost_fits(mode, sub_windows, steps):
    window = SlidingWindowLimiter(10, 0.001, sub_windows, mode=mode, clock_ns=lambda: 0)
    now_us = 0
    for wait_us, cost in steps:
        now_us += wait_us
        decision = window.decide("k", cost, now_us)
        if cost > 10:
            assert decision.reason is Reason.TOO_LARGE
        elif not decision.allowed:
            assert not window.peek("k", cost, now_us + decision.retry_after_us - 1).allowed
            assert window.peek("k", cost, now_us + decision.retry_after_us).allowed
        fresh = window.peek("k", 10, now_us + decision.reset_after_us)
        assert (fresh.remaining, fresh.reset_after_us) == (10, 0)


def granted_to_a_greedy_client(poll_us, sub_windows=8, windows=100):
    """Grants to a client that asks every ``poll_us``, and after a refusal when it was told to."""
    window = SlidingWindowLimiter(100, 1, sub_windows, clock_ns=lambda: 0)
    now_us = granted = 0
    while now_us < windows * 10**6:
        decision = window.decide("k", 1, now_us)
        granted += decision.allowed
        now_us += poll_us if decision.allowed else -(-decision.retry_after_us // poll_us) * poll_us
    return granted / (100 * windows)


@pytest.mark.parametrize("poll_us", [1, 10, 100, 1000])
def test_a_strict_window_gives_a_greedy_client_all_of_its_limit(poll_us):
    assert granted_to_a_greedy_client(poll_us) >= 0.999


@pytest.mark.parametrize("poll_us", [2_000, 5_003, 7_919, 9_001, 9_901, 9_999])
def test_a_strict_window_of_eight_gives_who_asks_little_faster_than_its_due_over_nine_tenths(
    poll_us,
):
    assert granted_to_a_greedy_client(poll_us) >= 0.91


@pytest.mark.parametrize(("sub_windows", "share"), [(1, 2 / 3), (2, 4 / 5), (4, 6 / 7), (16, 0.94)])
def test_more_sub_windows_give_more_of_the_limit(sub_windows, share):
    assert granted_to_a_greedy_client(9_901, sub_windows) >= share


@pytest.mark.parametrize("limit", [1, 9, 11, 19, 20, 55, 95, 101, 1000])
def test_no_limit_is_a_bad_one_for_eight_sub_windows(limit):
    for hurry in (1.01, 1.1, 1.5, 3):
        window = SlidingWindowLimiter(limit, 1, 8, clock_ns=lambda: 0)
        now_us = granted = 0
        while now_us < 40 * 10**6:
            decision = window.decide("k", 1, now_us)
            granted += decision.allowed
            now_us += int(10**6 / limit / hurry) if decision else decision.retry_after_us
        assert granted >= 0.9 * 40 * limit


def test_a_burst_takes_the_whole_limit_after_any_quiet_course():
    window = SlidingWindowLimiter(100, 1, 8, clock_ns=lambda: 0)
    for i in range(60):
        assert window.allow("k", 1, now_us=i * 100_000)
    # Ten of the last second are in the window, and at most a cell's share of those before.
    assert window.peek("k", now_us=5_950_000).remaining >= 100 - 10 - 2
    assert window.peek("k", now_us=6_900_000).remaining == 100


def test_a_refund_is_taken_from_the_newest_part_first():
    window = SlidingWindowLimiter(10, 10, 2, mode="interpolated", clock_ns=lambda: 0)
    window.allow("k", 4, now_us=0)
    window.allow("k", 4, now_us=6_000_000)
    window.refund("k", 5, now_us=6_000_000)
    assert window.peek("k", now_us=6_000_000).remaining == 7
    window.refund("k", 50, now_us=6_000_000)
    assert window.peek("k", now_us=6_000_000) == (True, 10, 10, 0, 0, Reason.GRANTED)


@pytest.mark.parametrize(
    "build",
    [
        lambda: FixedWindowLimiter(0),
        lambda: FixedWindowLimiter(1, 0),
        lambda: SlidingWindowLimiter(0),
        lambda: SlidingWindowLimiter(1, -5),
        lambda: SlidingWindowLimiter(1, 1, 0),
        lambda: SlidingWindowLimiter(1, 1, 65),
        lambda: SlidingWindowLimiter(1, 1, mode="exact"),
        lambda: SlidingWindowLimiter(2**60, 60),
    ],
)
def test_windows_that_cannot_be_counted_are_refused_at_construction(build):
    with pytest.raises(InvalidInputError):
        build()
