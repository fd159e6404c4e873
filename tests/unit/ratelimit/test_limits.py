import pytest

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import BucketLimit, Rate, WindowLimit, WindowMode
from aetherops.ratelimit.limits import seconds_to_us, sliding_mode


def test_a_bucket_counts_in_units_that_keep_its_rate_exact():
    assert BucketLimit(10, Rate.of("50/min")).tier == (1, 1_200_000, 12_000_000)


def test_the_window_of_a_bucket_is_the_time_in_which_it_fills():
    assert BucketLimit(10, Rate.of(3)).window_us == 3_333_334


@pytest.mark.parametrize("burst", [0, -1, 1.5, 2**60])
def test_a_capacity_beyond_exact_arithmetic_is_refused(burst):
    with pytest.raises(InvalidInputError, match="burst_capacity"):
        BucketLimit(burst, Rate.of(1))


def test_limits_scale_and_never_vanish():
    assert BucketLimit(10, Rate.of(4)).scaled(500) == BucketLimit(5, Rate.of(2))
    assert BucketLimit(10, Rate.of(4)).scaled(1) == BucketLimit(1, Rate.of("4/1000 s"))
    assert WindowLimit(100, 10**6).scaled(333).quota == 33
    assert WindowLimit(1, 10**6).scaled(1).quota == 1
    assert WindowLimit(7, 10**6, WindowMode.FIXED, 1).scaled(2000) == WindowLimit(
        14, 10**6, WindowMode.FIXED, 1
    )


@pytest.mark.parametrize(
    "arguments", [(0, 1), (1, 0), (1.5, 1), (1, 1, "strict", 0), (1, 1, "strict", 65)]
)
def test_windows_of_improper_numbers_are_refused(arguments):
    with pytest.raises(InvalidInputError):
        WindowLimit(*arguments)


@pytest.mark.parametrize("seconds", [0, -1, 1e-9, float("nan"), float("inf"), 1e15])
def test_a_window_is_a_positive_number_of_seconds(seconds):
    with pytest.raises(InvalidInputError, match="window_s"):
        seconds_to_us(seconds, "window_s")


def test_the_sliding_modes_are_two():
    assert sliding_mode("strict") is WindowMode.STRICT
    assert sliding_mode("interpolated") is WindowMode.INTERPOLATED
    with pytest.raises(InvalidInputError, match="interpolated or strict"):
        sliding_mode("fixed")
