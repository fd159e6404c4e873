"""Where a satellite stands over the Earth, and whether the Sun shines on it.

Sources: D. A. Vallado, *Fundamentals of Astrodynamics and Applications* (sidereal time,
cylindrical shadow); *The Astronomical Almanac*, section C (low-precision Sun); B. R. Bowring,
"The accuracy of geodetic latitude and height equations", Survey Review 28 (1985).
All of it is NumPy over columns: instants of shape (n,), vectors of shape (n, 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "Geodetic",
    "geodetic_from_earth_fixed",
    "in_earth_shadow",
    "julian_date",
    "sidereal_time",
    "sun_position_km",
    "to_earth_fixed",
]

EQUATORIAL_RADIUS_KM = 6378.137  # WGS 84
FLATTENING = 1 / 298.257223563
ASTRONOMICAL_UNIT_KM = 149_597_870.7

_DAY_US = 86_400_000_000
_JULIAN_1970 = 2_440_587.5
_J2000 = 2_451_545.0


class Geodetic(NamedTuple):
    """Place over the WGS 84 ellipsoid, columns of shape (n,)."""

    latitude_deg: NDArray[np.float64]
    longitude_deg: NDArray[np.float64]
    altitude_km: NDArray[np.float64]


def julian_date(times_us: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Julian dates in two parts, the midnight and the fraction of the day, to keep microseconds."""
    days, rest = np.divmod(times_us, _DAY_US)
    return days + _JULIAN_1970, rest / _DAY_US


def sidereal_time(
    midnight: NDArray[np.float64], fraction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Greenwich mean sidereal time (IAU 1982) in radians, UTC taken for UT1 (under 0.9 s apart)."""
    t = ((midnight - _J2000) + fraction) / 36_525
    # The whole turns of 876,600 h a century are taken out before they cost digits.
    turns = (midnight - _J2000) % 1.0 + fraction
    seconds = 67_310.54841 + t * (8_640_184.812866 + t * (0.093104 - 6.2e-6 * t))
    return np.asarray(2 * np.pi * ((seconds / 86_400 + turns) % 1.0))


def to_earth_fixed(
    inertial_km: NDArray[np.float64], sidereal_rad: NDArray[np.float64]
) -> NDArray[np.float64]:
    """True-equator mean-equinox vectors turned with the Earth; the pole's motion (15 m) is left."""
    cosine, sine = np.cos(sidereal_rad), np.sin(sidereal_rad)
    x, y, z = inertial_km.T
    return np.stack((cosine * x + sine * y, cosine * y - sine * x, z), axis=1)


def geodetic_from_earth_fixed(position_km: NDArray[np.float64]) -> Geodetic:
    """Latitude, longitude and height over WGS 84 by Bowring's formula, iterated three times."""
    x, y, z = position_km.T
    a, f = EQUATORIAL_RADIUS_KM, FLATTENING
    b, e2 = a * (1 - f), f * (2 - f)
    second_e2 = e2 / (1 - e2)
    p = np.hypot(x, y)
    reduced = np.arctan2(z, p * (1 - f))
    for _ in range(3):
        latitude = np.arctan2(
            z + second_e2 * b * np.sin(reduced) ** 3, p - e2 * a * np.cos(reduced) ** 3
        )
        reduced = np.arctan2((1 - f) * np.sin(latitude), np.cos(latitude))
    sine, cosine = np.sin(latitude), np.cos(latitude)
    altitude = p * cosine + z * sine - a * np.sqrt(1 - e2 * sine * sine)
    return Geodetic(np.degrees(latitude), np.degrees(np.arctan2(y, x)), altitude)


def sun_position_km(
    midnight: NDArray[np.float64], fraction: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The Sun from the Earth's centre, equator of date, good to 0.01 degrees until 2050."""
    n = (midnight - _J2000) + fraction
    anomaly = np.radians(357.528 + 0.9856003 * n)
    longitude = np.radians(
        280.460 + 0.9856474 * n + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly)
    )
    obliquity = np.radians(23.439 - 4e-7 * n)
    distance_au = 1.00014 - 0.01671 * np.cos(anomaly) - 0.00014 * np.cos(2 * anomaly)
    direction = np.stack(
        (
            np.cos(longitude),
            np.cos(obliquity) * np.sin(longitude),
            np.sin(obliquity) * np.sin(longitude),
        ),
        axis=1,
    )
    return np.asarray(direction * (distance_au * ASTRONOMICAL_UNIT_KM)[:, None])


def in_earth_shadow(
    position_km: NDArray[np.float64], sun_km: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether the Earth, as a ball of its equatorial radius, hides the Sun: a shadow cylinder.

    Vallado's SHADOW without the penumbra: it ends some seconds from where a cone would.
    """
    towards_sun = sun_km / np.linalg.norm(sun_km, axis=1, keepdims=True)
    along = np.einsum("ij,ij->i", position_km, towards_sun)
    distance2 = np.einsum("ij,ij->i", position_km, position_km) - along * along
    return np.asarray((along < 0) & (distance2 < EQUATORIAL_RADIUS_KM**2))
