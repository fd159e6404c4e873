"""First figures of orbits, against figures that are known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.services.orbit import (
    EARTH_RADIUS_KM,
    MU_KM3_S2,
    altitude_band,
    compute_orbital_period,
    orbital_decay_rate,
    predict_conjunction_risk,
)

altitudes_km = st.floats(1, 1e6)


def test_the_constants_are_the_documented_ones() -> None:
    assert (MU_KM3_S2, EARTH_RADIUS_KM) == (398600.4418, 6371.0)


def test_a_geostationary_satellite_takes_a_sidereal_day() -> None:
    assert compute_orbital_period(42164.17 - EARTH_RADIUS_KM) == pytest.approx(86164.1, abs=0.1)


def test_the_space_station_takes_an_hour_and_a_half() -> None:
    assert compute_orbital_period(400) == 5544.86


@pytest.mark.parametrize("altitude_km", [0, -100, math.nan])
def test_there_is_no_period_at_or_below_the_ground(altitude_km: float) -> None:
    assert compute_orbital_period(altitude_km) == 0.0


@given(altitudes_km)
def test_periods_obey_keplers_third_law(altitude_km: float) -> None:
    r = EARTH_RADIUS_KM + altitude_km
    mean_motion = 2 * math.pi / compute_orbital_period(altitude_km)
    assert mean_motion**2 * r**3 == pytest.approx(MU_KM3_S2, rel=1e-5)


@pytest.mark.parametrize(
    ("altitude_km", "band"),
    [(400, "LEO"), (1999.9, "LEO"), (2000, "MEO"), (35785.9, "MEO"), (35786, "GEO"), (1e5, "GEO")],
)
def test_bands_begin_at_2000_and_35786_km(altitude_km: float, band: str) -> None:
    assert altitude_band(altitude_km) == band


def test_the_space_station_sinks_some_tens_of_metres_to_some_hundreds_a_day() -> None:
    assert 0.05 < orbital_decay_rate(400, 1600, 420_000) < 0.2


def test_decay_is_drag_times_density_times_speed_and_radius() -> None:
    # At 400 km the model's density is 3.725e-12 kg/m³; a = 6771 km.
    loss_m_s = 2.2 * (4 / 500) * 3.725e-12 * math.sqrt(3.986004418e14 * 6.771e6)
    assert orbital_decay_rate(400, 4, 500) == pytest.approx(loss_m_s * 86.4)
    # A scale height further up, an e-th of the air (and a little more radius).
    above = orbital_decay_rate(440, 4, 500) / orbital_decay_rate(400, 4, 500)
    assert above == pytest.approx(math.exp(-40 / 58.515) * math.sqrt(6811 / 6771))


@given(altitudes_km, st.floats(0.01, 1e4), st.floats(0.1, 1e6))
def test_decay_grows_with_area_and_shrinks_with_mass(
    altitude_km: float, area_m2: float, mass_kg: float
) -> None:
    rate = orbital_decay_rate(altitude_km, area_m2, mass_kg)
    assert rate >= 0
    assert orbital_decay_rate(altitude_km, 2 * area_m2, mass_kg) == pytest.approx(2 * rate)
    assert orbital_decay_rate(altitude_km, area_m2, 2 * mass_kg) == pytest.approx(rate / 2)


@given(st.floats(1, 2000), st.floats(1, 500))
def test_higher_orbits_decay_more_slowly(altitude_km: float, higher_km: float) -> None:
    assert orbital_decay_rate(altitude_km + higher_km, 1, 1) < orbital_decay_rate(altitude_km, 1, 1)


@pytest.mark.parametrize(
    "base_km", [*range(30, 160, 10), 25, 180, *range(200, 500, 50), *range(500, 1001, 100)]
)
def test_layers_of_the_atmosphere_join(base_km: float) -> None:
    below, above = (orbital_decay_rate(base_km + step, 1, 1) for step in (-1e-9, 0))
    assert below == pytest.approx(above, rel=0.002)


@pytest.mark.parametrize(
    "arguments", [(0, 1, 1), (400, 0, 1), (400, 1, 0), (-1, 1, 1), (400, 1, -1)]
)
def test_without_height_area_or_mass_nothing_decays(arguments: tuple[float, float, float]) -> None:
    assert orbital_decay_rate(*arguments) == 0.0


@pytest.mark.parametrize("distance_km", [0, -3.5])
def test_a_collision_course_is_a_certain_risk(distance_km: float) -> None:
    assert predict_conjunction_risk(distance_km, 7.5) == 1.0


@given(st.floats(0.001, 50), st.floats(0.1, 50), st.floats(0, 15))
def test_risk_falls_with_distance_and_stays_a_share(
    distance_km: float, further_km: float, velocity_kms: float
) -> None:
    near = predict_conjunction_risk(distance_km, velocity_kms)
    far = predict_conjunction_risk(distance_km + further_km, velocity_kms)
    assert 0 <= far < near <= 1


def test_a_reach_away_the_risk_is_an_eth_and_faster_pairs_reach_further() -> None:
    assert predict_conjunction_risk(1, 0) == math.exp(-1)
    assert predict_conjunction_risk(8.5, 7.5) == math.exp(-1)
    assert predict_conjunction_risk(8.5, -7.5) == math.exp(-1)
    assert predict_conjunction_risk(math.inf, 7.5) == 0.0


@pytest.mark.parametrize(
    ("distance_km", "velocity_kms", "field"),
    [(math.nan, 1, "distance_km"), (1, math.nan, "relative_velocity_kms")],
)
def test_nan_is_no_approach(distance_km: float, velocity_kms: float, field: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        predict_conjunction_risk(distance_km, velocity_kms)
    assert caught.value.field == field
