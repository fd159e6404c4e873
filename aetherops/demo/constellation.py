"""A small fleet for demonstration: real satellites, propagated with SGP4, as telemetry.

The elements are those that the sgp4 package carries to verify itself: real, and twenty years
old. Far from their epoch they mean nothing, so their epoch is moved to the first midnight
(UTC) of the month that is asked about: orbits of the true size, shape and inclination, not
where the satellites are today. At the turn of a month every satellite jumps.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from typing import TYPE_CHECKING, Self
from uuid import UUID, uuid5

import numpy as np
from sgp4.api import WGS72, Satrec

from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.demo.earth import (
    geodetic_from_earth_fixed,
    in_earth_shadow,
    julian_date,
    sidereal_time,
    sun_position_km,
    to_earth_fixed,
)
from aetherops.errors import InvalidInputError
from aetherops.instants import from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["BLOCK_SAMPLES", "Constellation", "Satellite"]

#: Samples of each parameter in one batch.
BLOCK_SAMPLES = 8_192

_SGP4_EPOCH = datetime(1949, 12, 31, tzinfo=UTC)
_BATCHES = UUID("5a7e3b52-51f5-4b0e-9a2c-6d3f0c7f2b11")

_FLEET = {
    "00005": "vanguard-1",  # 1958, the oldest in orbit: 34 degrees, eccentric
    "06251": "delta-1-debris",  # low and dragging
    "28057": "cbers-2",  # Sun-synchronous, images of the Earth
    "28129": "navstar-53",  # GPS, 12 h
    "08195": "molniya-2-14",  # 12 h, over the north for most of it
    "24208": "italsat-2",  # geosynchronous, inclined by 4 degrees
}
_PARAMETERS = {
    "altitude_km": ("km", "gauge"),
    "latitude_deg": ("deg", "gauge"),
    "longitude_deg": ("deg", "gauge"),
    "speed_km_s": ("km/s", "gauge"),
    "eclipse": ("", "state"),
}


@dataclass(frozen=True, slots=True)
class Satellite:
    """A satellite of the fleet, and its elements at their own epoch."""

    name: str
    elements: Satrec

    def at_epoch(self, epoch: datetime) -> Satrec:
        """The same mean elements with another epoch."""
        e, moved = self.elements, Satrec()
        days = (epoch - _SGP4_EPOCH).total_seconds() / 86_400
        rates = (e.bstar, e.ndot, e.nddot)
        orbit = (e.ecco, e.argpo, e.inclo, e.mo, e.no_kozai, e.nodeo)
        moved.sgp4init(WGS72, "i", e.satnum, days, *rates, *orbit)
        return moved

    def states(
        self, times_us: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Positions in km and velocities in km/s, shape (n, 3), of instants within one month."""
        moved = self.at_epoch(_month_of(int(times_us[0])))
        columns = moved.sgp4_array(*julian_date(times_us))  # type: ignore[no-untyped-call]
        errors, position_km, velocity_km_s = columns
        if errors.any():
            raise InvalidInputError("elements", self.name, "an orbit that SGP4 can propagate")
        return position_km, velocity_km_s

    def telemetry(self, times_us: NDArray[np.int64]) -> tuple[Series, ...]:
        """Every parameter of the satellite at instants within one month."""
        position_km, velocity_km_s = self.states(times_us)
        date = julian_date(times_us)
        place = geodetic_from_earth_fixed(to_earth_fixed(position_km, sidereal_time(*date)))
        values = {
            **place._asdict(),
            "speed_km_s": np.linalg.norm(velocity_km_s, axis=1),
            "eclipse": in_earth_shadow(position_km, sun_position_km(*date)),
        }
        return tuple(
            Series(
                Stream(StreamName("orbit", self.name, parameter), unit, kind),
                Samples.of(times_us, values[parameter]),
            )
            for parameter, (unit, kind) in _PARAMETERS.items()
        )


@dataclass(frozen=True, slots=True)
class Constellation:
    """Satellites whose telemetry any instant gives; the same instants give the same batches."""

    satellites: tuple[Satellite, ...]

    @classmethod
    def default(cls) -> Self:
        """Six satellites in low, eccentric, medium and geosynchronous orbits."""
        elements = _packaged_elements()
        return cls(tuple(Satellite(name, elements[number]) for number, name in _FLEET.items()))

    def batches(self, start_us: int, end_us: int, step_us: int) -> Iterator[SampleBatch]:
        """Telemetry at the multiples of `step_us` in ``start_us <= t < end_us``.

        A batch holds one satellite's parameters over a block of time. Blocks lie on a fixed
        grid and their ids follow from what they hold, so that a day sent twice is stored once.
        """
        for first_us, last_us in _blocks(start_us, end_us, step_us):
            times_us = np.arange(first_us, last_us, step_us, dtype=np.int64)
            for satellite in self.satellites:
                contents = f"{satellite.name} {first_us} {len(times_us)} {step_us}"
                yield SampleBatch(uuid5(_BATCHES, contents), satellite.telemetry(times_us))


def _blocks(start_us: int, end_us: int, step_us: int) -> Iterator[tuple[int, int]]:
    """Half-open spans on the grid of blocks, cut where a month begins."""
    block_us = BLOCK_SAMPLES * step_us
    first_us = -(-start_us // step_us) * step_us
    while first_us < end_us:
        last_us = min(end_us, (first_us // block_us + 1) * block_us, _month_after(first_us))
        yield first_us, last_us
        first_us = -(-last_us // step_us) * step_us


def _month_of(time_us: int) -> datetime:
    return from_us(time_us).replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _month_after(time_us: int) -> int:
    month = _month_of(time_us)
    year, index = divmod(month.year * 12 + month.month, 12)
    return to_us(month.replace(year=year, month=index + 1))


def _packaged_elements() -> dict[str, Satrec]:
    """Elements by catalogue number from the verification file of the sgp4 package."""
    text = files("sgp4").joinpath("SGP4-VER.TLE").read_text(encoding="ascii")
    lines = [line for line in text.splitlines() if line[:2] in ("1 ", "2 ")]
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return {
        first[2:7]: Satrec.twoline2rv(first[:69], second[:69], WGS72) for first, second in pairs
    }
