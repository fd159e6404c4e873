"""Waits between retries."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.resilience import retry_backoff


def test_waits_double_from_80_ms_and_end_at_5_s() -> None:
    waits = [retry_backoff(attempt) for attempt in range(-1, 10)]
    assert waits == [80, 80, 80, 160, 320, 640, 1280, 2560, 5000, 5000, 5000]


@given(st.integers(1, 300), st.integers(0, 10_000), st.integers(0, 10**9))
def test_each_wait_is_twice_the_one_before_up_to_the_cap(
    attempt: int, base_ms: int, cap_ms: int
) -> None:
    wait_ms = retry_backoff(attempt, base_ms, cap_ms)
    assert wait_ms == min(base_ms * 2 ** (attempt - 1), cap_ms)
    assert isinstance(wait_ms, int)


def test_an_absurd_attempt_costs_no_absurd_number() -> None:
    assert retry_backoff(10**18) == 5000


@pytest.mark.parametrize(("base_ms", "cap_ms", "field"), [(-1, 5, "base_ms"), (1, -5, "cap_ms")])
def test_negative_waits_are_refused(base_ms: int, cap_ms: int, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        retry_backoff(1, base_ms, cap_ms)
    assert caught.value.field == field
