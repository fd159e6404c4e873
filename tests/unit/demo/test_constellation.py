"""The demonstration fleet: SGP4 as published, plausible orbits, batches that repeat exactly."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from sgp4.api import WGS72, Satrec
from sgp4.propagation import gstime

from aetherops.demo.constellation import BLOCK_SAMPLES, Constellation, Satellite
from aetherops.demo.earth import (
    EQUATORIAL_RADIUS_KM,
    FLATTENING,
    geodetic_from_earth_fixed,
    in_earth_shadow,
    julian_date,
    sidereal_time,
    sun_position_km,
    to_earth_fixed,
)
from aetherops.instants import from_us, parse_us

DATA = Path(__file__).parents[4] / "shared" / "data"
SECOND_US, DAY_US = 1_000_000, 86_400_000_000
NOON_US = parse_us("2026-05-09T12:00:00Z")
MU_KM3_S2 = 398_600.8  # WGS 72, which SGP4 uses


@pytest.fixture(scope="module")
def fleet() -> Constellation:
    return Constellation.default()


def columns_of(fleet: Constellation, start_us: int, end_us: int, step_us: int) -> dict[str, Any]:
    """Values of every stream over a range, by name."""
    parts: dict[str, list[Any]] = {}
    for batch in fleet.batches(start_us, end_us, step_us):
        for series in batch.series:
            parts.setdefault(str(series.stream.name), []).append(series.samples.values)
    return {name: np.concatenate(values) for name, values in parts.items()}


class TestOrbits:
    def test_the_fleet_propagates_as_the_verification_set_publishes(
        self, fleet: Constellation
    ) -> None:
        path = DATA / "sgp4" / "sgp4_verification.json"
        if not path.exists():
            pytest.skip("the published states are not here")
        cases = {case["satnum"]: case for case in json.loads(path.read_text())["cases"]}
        compared = 0
        for satellite in fleet.satellites:
            case = cases.get(satellite.elements.satnum)
            if case is None:
                continue
            for minutes, *state in case["expected"]:
                error, position, velocity = satellite.elements.sgp4_tsince(minutes)
                assert error == 0
                np.testing.assert_allclose(position, state[:3], rtol=0, atol=2e-7)
                np.testing.assert_allclose(velocity, state[3:6], rtol=0, atol=2e-9)
                compared += 1
        assert compared > 0

    def test_moving_the_epoch_to_where_it_was_changes_nothing(self, fleet: Constellation) -> None:
        for satellite in fleet.satellites:
            elements = satellite.elements
            epoch = datetime(1949, 12, 31, tzinfo=UTC) + timedelta(
                days=(elements.jdsatepoch - 2433281.5) + elements.jdsatepochF
            )
            again = satellite.at_epoch(epoch)
            for minutes in (0.0, 360.0, 1440.0):
                _, moved, _ = again.sgp4_tsince(minutes)
                _, original, _ = elements.sgp4_tsince(minutes)
                np.testing.assert_allclose(moved, original, rtol=0, atol=1e-3)

    def test_every_satellite_propagates_through_every_month(self, fleet: Constellation) -> None:
        start, end = parse_us("2024-01-01T00:00:00Z"), parse_us("2034-01-01T00:00:00Z")
        columns = columns_of(fleet, start, end, DAY_US // 4)
        assert len(columns) == 6 * 5
        for name, values in columns.items():
            if name.endswith("altitude_km"):
                assert values.min() > 200
                assert values.max() < 41_000

    @pytest.mark.parametrize(
        ("satellite", "lowest_km", "highest_km", "inclination_deg"),
        [
            ("vanguard-1", 620, 3_900, 34.27),
            ("delta-1-debris", 350, 450, 58.06),
            ("cbers-2", 760, 820, 81.57),
            ("navstar-53", 20_000, 20_400, 54.73),
            ("italsat-2", 35_400, 35_900, 3.86),
        ],
    )
    def test_altitudes_and_latitudes_are_those_of_the_orbit(
        self,
        fleet: Constellation,
        satellite: str,
        lowest_km: float,
        highest_km: float,
        inclination_deg: float,
    ) -> None:
        columns = columns_of(fleet, NOON_US, NOON_US + DAY_US, 30 * SECOND_US)
        altitude = columns[f"orbit/{satellite}/altitude_km"]
        assert lowest_km < altitude.min() < altitude.max() < highest_km
        latitude = columns[f"orbit/{satellite}/latitude_deg"]
        # Geodetic latitude exceeds the geocentric one by up to 0.19 degrees.
        assert abs(latitude.max() - inclination_deg) < 0.3
        assert abs(latitude.min() + inclination_deg) < 0.3

    def test_speed_follows_from_energy(self, fleet: Constellation) -> None:
        times_us = np.arange(NOON_US, NOON_US + DAY_US, 60 * SECOND_US)
        for satellite in fleet.satellites:
            position, velocity = satellite.states(times_us)
            radius, speed = np.linalg.norm(position, axis=1), np.linalg.norm(velocity, axis=1)
            axis_km = 1 / (2 / radius - speed**2 / MU_KM3_S2)
            period_min = 2 * np.pi * np.sqrt(axis_km.mean() ** 3 / MU_KM3_S2) / 60
            expected = 2 * np.pi / satellite.elements.no_kozai
            assert period_min == pytest.approx(expected, rel=0.005)

    def test_a_geosynchronous_satellite_stays_over_its_longitude(
        self, fleet: Constellation
    ) -> None:
        columns = columns_of(fleet, NOON_US, NOON_US + DAY_US, 600 * SECOND_US)
        longitude = columns["orbit/italsat-2/longitude_deg"]
        assert longitude.max() - longitude.min() < 5

    def test_low_satellites_are_in_shadow_for_about_a_third_of_the_day(
        self, fleet: Constellation
    ) -> None:
        columns = columns_of(fleet, NOON_US, NOON_US + DAY_US, 10 * SECOND_US)
        for name in ("delta-1-debris", "cbers-2"):
            eclipse = columns[f"orbit/{name}/eclipse"]
            assert set(np.unique(eclipse)) == {0.0, 1.0}
            assert 0.25 < eclipse.mean() < 0.42

    def test_a_station_stands_where_the_station_orbits(self) -> None:
        path = DATA / "omm" / "stations.tle"
        if not path.exists():
            pytest.skip("the elements are not here")
        _, first, second, *_ = path.read_text().splitlines()
        station = Satellite("iss", Satrec.twoline2rv(first, second, WGS72))
        times_us = np.arange(NOON_US, NOON_US + 6_000 * SECOND_US, SECOND_US)
        values = {s.stream.name.parameter: s.samples.values for s in station.telemetry(times_us)}
        assert 405 < values["altitude_km"].min() < values["altitude_km"].max() < 445
        assert 51.5 < values["latitude_deg"].max() < 52
        np.testing.assert_allclose(values["speed_km_s"], 7.66, atol=0.02)
        assert 0.3 < values["eclipse"].mean() < 0.42


class TestEarth:
    @given(st.floats(-90, 90), st.floats(-179.9, 179.9), st.floats(-5, 50_000))
    @settings(deadline=None)
    def test_geodetic_places_come_back(
        self, latitude: float, longitude: float, altitude: float
    ) -> None:
        e2 = FLATTENING * (2 - FLATTENING)
        phi, lam = np.radians(latitude), np.radians(longitude)
        normal = EQUATORIAL_RADIUS_KM / np.sqrt(1 - e2 * np.sin(phi) ** 2)
        across = (normal + altitude) * np.cos(phi)
        z = (normal * (1 - e2) + altitude) * np.sin(phi)
        place = geodetic_from_earth_fixed(
            np.array([[across * np.cos(lam), across * np.sin(lam), z]])
        )
        assert place.latitude_deg[0] == pytest.approx(latitude, abs=1e-9)
        assert place.altitude_km[0] == pytest.approx(altitude, abs=1e-6)
        if abs(latitude) < 89.9:
            assert place.longitude_deg[0] == pytest.approx(longitude, abs=1e-9)

    @given(st.integers(-(10**15), 4 * 10**15))
    @settings(deadline=None)
    def test_sidereal_time_agrees_with_the_sgp4_package(self, time_us: int) -> None:
        midnight, fraction = julian_date(np.array([time_us]))
        ours = sidereal_time(midnight, fraction)[0]
        theirs = gstime(float(midnight[0] + fraction[0]))
        # One Julian date in a double is good to 40 µs, 3e-9 rad of turning.
        difference = (ours - theirs + np.pi) % (2 * np.pi) - np.pi
        assert abs(difference) < 2e-8

    def test_ground_stations_stand_where_their_list_says(self) -> None:
        """A station at rest over the Earth: longitude 0 looks along sidereal time."""
        date = julian_date(np.array([NOON_US]))
        sidereal = sidereal_time(*date)
        towards = np.stack((np.cos(sidereal), np.sin(sidereal), np.zeros(1)), axis=1)
        place = geodetic_from_earth_fixed(to_earth_fixed(7_000 * towards, sidereal))
        assert place.longitude_deg[0] == pytest.approx(0, abs=1e-9)
        assert place.altitude_km[0] == pytest.approx(7_000 - EQUATORIAL_RADIUS_KM)

    @pytest.mark.parametrize(
        ("instant", "declination_deg"),
        [
            ("2026-03-20T14:46:00Z", 0.0),  # the equinox
            ("2026-06-21T08:25:00Z", 23.44),  # the solstices
            ("2026-12-21T20:50:00Z", -23.44),
        ],
    )
    def test_the_sun_stands_where_the_seasons_put_it(
        self, instant: str, declination_deg: float
    ) -> None:
        sun = sun_position_km(*julian_date(np.array([parse_us(instant)])))[0]
        declination = np.degrees(np.arcsin(sun[2] / np.linalg.norm(sun)))
        assert declination == pytest.approx(declination_deg, abs=0.02)

    def test_the_example_of_the_almanac_formula(self) -> None:
        """Vallado, example 5-1: the Sun on 2006 April 2, 0 h."""
        sun = sun_position_km(*julian_date(np.array([parse_us("2006-04-02T00:00:00Z")])))[0]
        np.testing.assert_allclose(sun, [146_186_212, 28_788_976, 12_481_064], atol=60_000)

    def test_the_shadow_lies_behind_the_earth_and_is_as_wide(self) -> None:
        sun = np.tile([1.5e8, 0.0, 0.0], (4, 1))
        places = np.array([[-7_000, 0, 0], [7_000, 0, 0], [-7_000, 6_378, 0], [-7_000, 0, 6_379.0]])
        assert in_earth_shadow(places, sun).tolist() == [True, False, True, False]


class TestBatches:
    def test_the_same_day_gives_the_same_batches(self, fleet: Constellation) -> None:
        first = list(fleet.batches(NOON_US, NOON_US + DAY_US, 60 * SECOND_US))
        again = list(Constellation.default().batches(NOON_US, NOON_US + DAY_US, 60 * SECOND_US))
        assert [b.batch_id for b in first] == [b.batch_id for b in again]
        for ours, theirs in zip(first, again, strict=True):
            for a, b in zip(ours.series, theirs.series, strict=True):
                assert a.samples.values.tobytes() == b.samples.values.tobytes()

    def test_different_contents_have_different_ids(self, fleet: Constellation) -> None:
        spans = [(NOON_US, NOON_US + 60 * SECOND_US), (NOON_US, NOON_US + 61 * SECOND_US)]
        ids = [b.batch_id for span in spans for b in fleet.batches(*span, SECOND_US)]
        assert len(set(ids)) == len(ids) == 12

    @given(
        st.integers(0, 10**15), st.integers(0, 20_000), st.integers(1, 400), st.integers(0, 9999)
    )
    @settings(deadline=None, max_examples=50)
    def test_batches_hold_every_multiple_of_the_step_once(
        self, start_us: int, steps: int, step_s: int, extra_us: int
    ) -> None:
        step_us = step_s * SECOND_US
        end_us = start_us + steps * step_us + extra_us
        one = Constellation(Constellation.default().satellites[:1])
        batches = list(one.batches(start_us, end_us, step_us))
        times = [t for batch in batches for t in batch.series[0].samples.times_us.tolist()]
        assert times == list(range(-(-start_us // step_us) * step_us, end_us, step_us))
        for batch in batches:
            series_times = batch.series[0].samples.times_us
            assert len(series_times) <= BLOCK_SAMPLES
            months = {from_us(int(series_times[i])).month for i in (0, -1)}
            assert len(months) == 1

    def test_streams_carry_their_units(self, fleet: Constellation) -> None:
        batch = next(fleet.batches(NOON_US, NOON_US + SECOND_US, SECOND_US))
        streams = {str(s.stream.name): (s.stream.unit, s.stream.kind) for s in batch.series}
        assert streams == {
            "orbit/vanguard-1/altitude_km": ("km", "gauge"),
            "orbit/vanguard-1/latitude_deg": ("deg", "gauge"),
            "orbit/vanguard-1/longitude_deg": ("deg", "gauge"),
            "orbit/vanguard-1/speed_km_s": ("km/s", "gauge"),
            "orbit/vanguard-1/eclipse": ("", "state"),
        }
