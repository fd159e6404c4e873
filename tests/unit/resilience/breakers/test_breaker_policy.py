"""The rules of a breaker: what they accept, and how long they make it wait."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.resilience import BreakerPolicy, CountWindow, TimeWindow

SECOND = 1_000_000_000


@pytest.mark.parametrize(
    ("rules", "field"),
    [
        ({"failure_threshold": 0}, "failure_threshold"),
        ({"failure_threshold": 2.5}, "failure_threshold"),
        ({"failure_rate": 0.0}, "failure_rate"),
        ({"failure_rate": 1.01}, "failure_rate"),
        ({"failure_rate": math.nan}, "failure_rate"),
        ({"slow_call_rate": 0.5}, "slow_call_s"),
        ({"slow_call_s": 0.5}, "slow_call_s"),
        ({"slow_call_s": 0.0, "slow_call_rate": 0.5}, "slow_call_s"),
        ({"slow_call_s": 1.0, "slow_call_rate": 2.0}, "slow_call_rate"),
        ({"minimum_calls": 0}, "minimum_calls"),
        ({"minimum_calls": 101, "failure_rate": 0.5}, "minimum_calls"),
        ({"reset_timeout_s": 0}, "reset_timeout_s"),
        ({"reset_timeout_s": math.inf}, "reset_timeout_s"),
        ({"max_reset_timeout_s": -1}, "max_reset_timeout_s"),
        ({"max_half_open_s": 0}, "max_half_open_s"),
        ({"backoff_factor": 0.5}, "backoff_factor"),
        ({"jitter": 1.0}, "jitter"),
        ({"jitter": -0.1}, "jitter"),
        ({"success_threshold": 0}, "success_threshold"),
        ({"success_threshold": 3, "probe_count": 2}, "probe_count"),
    ],
)
def test_a_rule_out_of_range_is_refused_by_name(rules: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        BreakerPolicy(**rules)
    assert refused.value.field == field


@pytest.mark.parametrize(
    ("window", "arguments"),
    [
        (CountWindow, (0,)),
        (CountWindow, (1_000_001,)),
        (TimeWindow, (0.0, 10)),
        (TimeWindow, (10.0, 0)),
    ],
)
def test_a_window_out_of_range_is_refused(window: Any, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(InvalidInputError):
        window(*arguments)


def test_as_many_probes_run_as_successes_close_unless_more_are_asked_for() -> None:
    assert BreakerPolicy().probe_count == 1
    assert BreakerPolicy(success_threshold=3).probe_count == 3
    assert BreakerPolicy(success_threshold=3, probe_count=5).probe_count == 5


def test_the_buckets_of_a_time_window_cover_it_whole() -> None:
    assert TimeWindow(1.0, 3).width_ns == 333_333_334


def test_each_reopening_waits_longer_up_to_the_longest_wait() -> None:
    policy = BreakerPolicy(reset_timeout_s=1, backoff_factor=2, max_reset_timeout_s=5)
    waits = [policy.open_ns(reopenings, 0.5) for reopenings in range(6)]
    assert waits == [1 * SECOND, 2 * SECOND, 4 * SECOND, *[5 * SECOND] * 3]
    assert policy.open_ns(10**9, 0.5) == 5 * SECOND


def test_without_backoff_every_wait_is_the_reset_timeout() -> None:
    policy = BreakerPolicy(reset_timeout_s=400)
    assert [policy.open_ns(reopenings, 0.5) for reopenings in (0, 1, 50)] == [400 * SECOND] * 3


@given(
    st.floats(0.001, 1000),
    st.floats(1, 10),
    st.floats(0, 0.99),
    st.integers(0, 100),
    st.floats(0, 1, exclude_max=True),
)
def test_jitter_stays_within_its_share_and_no_wait_exceeds_the_longest(
    reset_timeout_s: float, factor: float, jitter: float, reopenings: int, draw: float
) -> None:
    policy = BreakerPolicy(reset_timeout_s=reset_timeout_s, backoff_factor=factor, jitter=jitter)
    middle_ns = policy.open_ns(reopenings, 0.5)
    assert abs(policy.open_ns(reopenings, draw) - middle_ns) <= jitter * middle_ns + 2
    assert 0 < policy.open_ns(reopenings, draw) <= policy.longest_open_ns
