"""The adaptive limits settle, by simulation of a queue behind them."""

import pytest

from aetherops.ratelimit.load.controller import LoadPolicy
from aetherops.ratelimit.load.simulation import LoadTrace, simulate_load

POLICY = LoadPolicy(base_rate_per_s=1000)


def step(second):
    """A consumer that loses and regains its strength at once, four times."""
    return 1000 if second < 120 else 400 if second < 300 else 150 if second < 480 else 800


def ramp(second):
    """One that weakens and recovers slowly."""
    return max(1000 - 3 * second, 200) if second < 400 else min(200 + 2 * (second - 400), 1000)


def burst(second):
    """Callers that ask four times what the consumer can do, twice for a while."""
    return 2000 if 100 <= second < 160 or 300 <= second < 310 else 300


CASES = {
    "step": (lambda second: 2000, step, 0.94),
    "ramp": (lambda second: 2000, ramp, 0.99),
    "burst": (burst, lambda second: 500, 0.99),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("case", CASES)
def test_limits_follow_the_load_without_oscillation(case, seed):
    demand, capacity, least_goodput = CASES[case]
    trace = simulate_load(POLICY, demand, capacity, 600, seed=seed)
    assert trace.share_above(0.8) <= 0.01
    assert trace.swings(0.1) <= 4  # the load itself turns up to three times
    assert trace.goodput >= least_goodput


@pytest.mark.parametrize("case", CASES)
def test_a_queue_of_one_second_is_held_too(case):
    demand, capacity, _ = CASES[case]
    trace = simulate_load(POLICY, demand, capacity, 600, queue_limit=1000)
    assert trace.share_above(0.8) <= 0.03
    assert trace.goodput >= 0.85


def test_without_controls_the_queue_is_full_for_long():
    held = LoadPolicy(base_rate_per_s=1000, floor_permille=1000)
    trace = simulate_load(held, lambda second: 2000, step, 600)
    assert trace.share_above(0.8) > 0.7


def test_swings_count_turns_of_a_size():
    def trace(*factor):
        return LoadTrace(factor, factor, factor, factor, factor)

    assert trace(1.0, 1.0).swings(0.1) == 0
    assert trace(1.0, 0.5, 0.5, 0.55, 0.5).swings(0.1) == 0
    assert trace(1.0, 0.5, 1.0, 0.5).swings(0.1) == 2
    assert trace(1.0, 0.95, 1.0, 1.05).swings(0.1) == 0
