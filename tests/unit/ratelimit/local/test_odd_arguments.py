"""Numbers that have no meaning are told of by field; infinite patience has one."""

from __future__ import annotations

import math

import pytest

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import BucketLimit, Rate, TokenBucket


def test_infinite_patience_waits_as_long_as_it_takes() -> None:
    bucket = TokenBucket(1, 1000)
    assert bucket.acquire("key", timeout_s=math.inf)
    assert bucket.acquire("key", timeout_s=math.inf)


@pytest.mark.parametrize("timeout_s", [math.nan, -1, -math.inf])
def test_no_time_to_wait_is_an_error(timeout_s: float) -> None:
    with pytest.raises(InvalidInputError, match="timeout_s"):
        TokenBucket(1, 1).acquire("key", timeout_s=timeout_s)


@pytest.mark.parametrize("factor", [1500.5, math.nan, 0, "2"])
def test_a_factor_is_a_whole_number_of_thousandths(factor: int) -> None:
    with pytest.raises(InvalidInputError, match="factor_permille"):
        TokenBucket(1, 1).scale(factor)


@pytest.mark.parametrize("limit", ["x", None, 5])
def test_only_limits_take_the_place_of_limits(limit: BucketLimit) -> None:
    bucket = TokenBucket(1, 1)
    with pytest.raises(InvalidInputError, match="limits"):
        bucket.change(limit)
    assert bucket.limits == (BucketLimit(1, Rate.of(1)),)


@pytest.mark.parametrize("wall_us", [2**63, 2**70, -(2**63) - 1, 0.5])
def test_a_state_is_saved_at_a_time_that_fits_it(wall_us: int) -> None:
    with pytest.raises(InvalidInputError, match="wall_us"):
        TokenBucket(1, 1).state(wall_us)
