"""The control law: halve above, hold between, relax below."""

import pytest

from aetherops.errors import InvalidInputError
from aetherops.ratelimit.load.controller import (
    FactorChange,
    LoadController,
    LoadPolicy,
    LoadReading,
    LoadReason,
)

S = 1_000_000


def observe(controller, second, utilization, size=0.0, drained=None, late_s=0.0):
    reading = LoadReading(round(second * S), utilization, size, drained)
    return controller.observe(reading, round((second + late_s) * S))


def factors(controller, utilizations, start=1):
    found = []
    for second, utilization in enumerate(utilizations, start):
        observe(controller, second, utilization)
        found.append(controller.factor_permille)
    return found


def test_limits_are_halved_above_and_again_after_each_cooldown_down_to_the_floor():
    controller = LoadController(LoadPolicy(cooldown_s=2, floor_permille=100))
    assert factors(controller, [0.81] * 9) == [500, 500, 250, 250, 125, 125, 100, 100, 100]


def test_nothing_changes_between_the_thresholds():
    controller = LoadController()
    assert factors(controller, [0.9, 0.8, 0.6, 0.4]) == [500, 500, 500, 500]


def test_without_a_drain_rate_limits_are_relaxed_step_by_step_to_nominal():
    controller = LoadController(LoadPolicy(step_permille=200))
    assert factors(controller, [0.9, 0.3, 0.3, 0.3, 0.3]) == [500, 700, 900, 1000, 1000]


def test_a_catch_up_boost_goes_above_nominal_while_the_queue_is_empty():
    controller = LoadController(LoadPolicy(step_permille=300, ceiling_permille=1500))
    assert factors(controller, [0.0, 0.0, 0.0]) == [1300, 1500, 1500]


def test_limits_are_relaxed_to_the_drain_rate_that_was_measured_under_load():
    policy = LoadPolicy(base_rate_per_s=1000, drain_share_permille=1000)
    controller = LoadController(policy)
    observe(controller, 1, 0.9, 900, drained=600)
    change = observe(controller, 2, 0.39, 390, drained=600)
    assert change == FactorChange(2 * S, 500, 600, 0.39, LoadReason.DRAIN_RATE)
    assert observe(controller, 3, 0.2, 200, drained=600) is None
    assert observe(controller, 4, 0.0, 0, drained=10).reason is LoadReason.STEP
    assert controller.factor_permille == 610


def test_a_drain_rate_of_an_idle_consumer_is_not_believed():
    controller = LoadController(LoadPolicy(base_rate_per_s=1000))
    observe(controller, 1, 0.01, 10, drained=5)
    assert controller.drain_per_s is None
    observe(controller, 2, 0.5, 500, drained=400)
    observe(controller, 3, 0.01, 10, drained=5)
    assert controller.drain_per_s == 400
    observe(controller, 4, 0.5, 500, drained=600)
    assert controller.drain_per_s == 600  # what was measured before the idle time is forgotten
    observe(controller, 5, 0.5, 500, drained=400)
    assert controller.drain_per_s == 550
    observe(controller, 6, 0.5, 500)
    assert controller.drain_per_s == 550


def test_the_cooldown_lasts_until_the_queue_could_have_drained():
    controller = LoadController(LoadPolicy(cooldown_s=1))
    for second in range(1, 13):
        observe(controller, second, 0.95, 1000, drained=100)
    assert controller.factor_permille == 250


def test_a_stale_or_repeated_reading_holds():
    controller = LoadController(LoadPolicy(stale_after_s=5))
    assert observe(controller, 1, 0.9, late_s=5.1) is None
    assert observe(controller, 2, 0.9) is not None
    assert observe(controller, 2, 0.1) is None
    assert observe(controller, 1, 0.1) is None
    assert controller.factor_permille == 500


def test_a_reading_is_taken_from_queue_health():
    health = {"utilization": 0.85, "healthy": False, "queue_size": 85, "avg_wait_s": 3.0}
    assert LoadReading.of(health, 7, 12.5) == LoadReading(7, 0.85, 85, 12.5)
    with pytest.raises(InvalidInputError, match="health"):
        LoadReading.of(health | {"utilization": "full"}, 7)


@pytest.mark.parametrize(
    "bad",
    [
        {"low_utilization": 0.9},
        {"busy_utilization": 0.5},
        {"floor_permille": 0},
        {"ceiling_permille": 40},
        {"step_permille": 0},
        {"drain_share_permille": -1},
        {"cooldown_s": 0},
        {"stale_after_s": 0},
        {"base_rate_per_s": 0},
    ],
)
def test_a_policy_out_of_order_is_refused(bad):
    with pytest.raises(InvalidInputError):
        LoadPolicy(**bad)
