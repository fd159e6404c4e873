"""Fleet health, ranking, trends and anomalies."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.services.analytics import (
    anomaly_report,
    compute_fleet_health,
    satellite_ranking,
    trend_analysis,
)
from aetherops.telemetry import detect_drift


def satellite(
    fuel_kg: float = 0, power_kw: float = 0, temperature_c: float = 500, name: str = "sat"
) -> dict[str, object]:
    return {
        "id": name,
        "fuel_kg": fuel_kg,
        "power_kw": power_kw,
        "temperature_c": temperature_c,
    }


def test_fuel_power_and_temperature_weigh_four_three_and_three_tenths() -> None:
    assert compute_fleet_health([satellite(fuel_kg=200)]) == 0.4
    assert compute_fleet_health([satellite(power_kw=10)]) == 0.3
    assert compute_fleet_health([satellite(temperature_c=20)]) == 0.3
    assert compute_fleet_health([satellite(50, 5, 20)]) == 0.55


def test_more_than_full_is_full() -> None:
    assert compute_fleet_health([satellite(4000, 99, 20)]) == 1.0


@pytest.mark.parametrize(
    ("temperature_c", "health"), [(-25.1, 0), (-25, 0.3), (75, 0.3), (75.1, 0)]
)
def test_the_ends_of_the_temperature_range_are_in_it(temperature_c: float, health: float) -> None:
    assert compute_fleet_health([satellite(temperature_c=temperature_c)]) == health


def test_the_fleets_health_is_the_mean_of_its_satellites() -> None:
    fleet = [satellite(200, 10, 20), satellite(), satellite()]
    assert compute_fleet_health(iter(fleet)) == 0.3333
    assert compute_fleet_health([]) == 0.0


def test_satellites_are_ranked_by_fuel_and_ten_times_power() -> None:
    fleet = [
        satellite(50, 1, name="low"),
        satellite(10, 9, name="power"),
        satellite(95, 0, name="fuel"),
        satellite(0, 10, name="power too"),
    ]
    assert satellite_ranking(iter(fleet)) == ["power", "power too", "fuel", "low"]
    assert satellite_ranking([]) == []


@pytest.mark.parametrize("missing", ["fuel_kg", "power_kw", "temperature_c"])
def test_a_satellite_that_lacks_a_number_is_named(missing: str) -> None:
    incomplete = satellite()
    del incomplete[missing]
    with pytest.raises(InvalidInputError, match=missing) as caught:
        compute_fleet_health([satellite(), incomplete])
    assert caught.value.field == "satellites[1]"


@pytest.mark.parametrize("missing", ["id", "fuel_kg", "power_kw"])
def test_a_ranking_needs_ids_fuel_and_power_only(missing: str) -> None:
    complete = {"id": "a", "fuel_kg": 1, "power_kw": 1}
    assert satellite_ranking([complete]) == ["a"]
    del complete[missing]
    with pytest.raises(InvalidInputError, match=missing):
        satellite_ranking([complete])


def test_below_one_window_there_is_no_trend() -> None:
    assert trend_analysis([]) == "insufficient_data"
    assert trend_analysis([1, 2, 3, 4]) == "insufficient_data"
    assert trend_analysis([1, 2, 3, 4, 5]) == "stable"
    assert trend_analysis([], 0) == "insufficient_data"


@pytest.mark.parametrize(
    ("newest", "trend"),
    [(105, "stable"), (105.01, "improving"), (95, "stable"), (94.99, "degrading")],
)
def test_five_percent_either_way_are_stable(newest: float, trend: str) -> None:
    assert trend_analysis([100, 100, newest, newest], window=2) == trend


def test_the_window_before_the_last_is_compared_and_no_earlier_one() -> None:
    assert trend_analysis([1, 1, 100, 100, 100, 100], window=2) == "stable"
    assert trend_analysis(iter([900, 900, 1, 1, 5, 5]), window=2) == "improving"


def test_a_window_may_be_a_single_value() -> None:
    assert trend_analysis([9, 1, 2], window=1) == "improving"


def test_below_two_windows_the_first_one_is_compared() -> None:
    # [1, 1, 9] against [1, 9, 9]: the windows overlap.
    assert trend_analysis([1, 1, 9, 9], window=3) == "improving"
    assert trend_analysis([9, 9, 1, 1], window=3) == "degrading"
    assert trend_analysis([1, 9, 9], window=3) == "stable"


def test_around_and_below_zero_up_is_still_up() -> None:
    assert trend_analysis([0, 0, 1, 1], window=2) == "improving"
    assert trend_analysis([0, 0, -1, -1], window=2) == "degrading"
    assert trend_analysis([0, 0, 0, 0], window=2) == "stable"
    assert trend_analysis([-100, -100, -90, -90], window=2) == "improving"
    assert trend_analysis([-100, -100, -110, -110], window=2) == "degrading"


@pytest.mark.parametrize("window", [0, -2])
def test_a_window_has_one_value_at_least(window: int) -> None:
    with pytest.raises(InvalidInputError, match="window"):
        trend_analysis([1.0], window)


@given(st.lists(st.floats(-1e6, 1e6)), st.floats(0.5, 4))
def test_anomalies_are_the_drift_of_the_values(values: list[float], threshold_z: float) -> None:
    assert anomaly_report(values, threshold_z) == detect_drift(values, threshold_z)


def test_anomalies_are_two_deviations_away_unless_said_otherwise() -> None:
    values = [10, 10, 10, 10, 10, 100]  # the last one stands 2.04 deviations from the mean
    assert anomaly_report(values) == [5]
    assert anomaly_report(values, 2.1) == []
