"""First figures of circular Earth orbits: periods, bands, decay, conjunctions.

Good for planning and for teaching; a real orbit's future comes from a propagator with the
elements of the day.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from typing import Literal

from aetherops.errors import InvalidInputError

__all__ = [
    "EARTH_RADIUS_KM",
    "MU_KM3_S2",
    "Band",
    "altitude_band",
    "compute_orbital_period",
    "orbital_decay_rate",
    "predict_conjunction_risk",
]

Band = Literal["LEO", "MEO", "GEO"]

#: Gravitational parameter of the Earth, km³/s².
MU_KM3_S2 = 398600.4418
#: Mean radius of the Earth, km.
EARTH_RADIUS_KM = 6371.0

_LEO_BELOW_KM, _MEO_BELOW_KM = 2000, 35786

_DRAG_COEFFICIENT = 2.2
_S_PER_DAY = 86_400
_M_PER_KM = 1000
# Exponential atmosphere: base altitude (km), density there (kg/m³), scale height (km). Vallado,
# Fundamentals of Astrodynamics and Applications, table 8-4 (US Standard Atmosphere, CIRA-72).
_ATMOSPHERE = (
    (0, 1.225, 7.249),
    (25, 3.899e-2, 6.349),
    (30, 1.774e-2, 6.682),
    (40, 3.972e-3, 7.554),
    (50, 1.057e-3, 8.382),
    (60, 3.206e-4, 7.714),
    (70, 8.770e-5, 6.549),
    (80, 1.905e-5, 5.799),
    (90, 3.396e-6, 5.382),
    (100, 5.297e-7, 5.877),
    (110, 9.661e-8, 7.263),
    (120, 2.438e-8, 9.473),
    (130, 8.484e-9, 12.636),
    (140, 3.845e-9, 16.149),
    (150, 2.070e-9, 22.523),
    (180, 5.464e-10, 29.740),
    (200, 2.789e-10, 37.105),
    (250, 7.248e-11, 45.546),
    (300, 2.418e-11, 53.628),
    (350, 9.518e-12, 53.298),
    (400, 3.725e-12, 58.515),
    (450, 1.585e-12, 60.828),
    (500, 6.967e-13, 63.822),
    (600, 1.454e-13, 71.835),
    (700, 3.614e-14, 88.667),
    (800, 1.170e-14, 124.64),
    (900, 5.245e-15, 181.05),
    (1000, 3.019e-15, 268.00),
)
_BASES_KM = tuple(base_km for base_km, _, _ in _ATMOSPHERE)

# How far apart two objects may be and still meet: what their positions are uncertain by, and
# what they close in the time that their passage is uncertain by.
_POSITION_UNCERTAINTY_KM = 1.0
_TIME_UNCERTAINTY_S = 1.0


def compute_orbital_period(altitude_km: float) -> float:
    """Seconds a circular orbit takes: ``2π √(r³ / μ)``, rounded to 2.

    0.0 for an altitude of 0 or less.
    """
    if not altitude_km > 0:
        return 0.0
    r = EARTH_RADIUS_KM + altitude_km
    return round(2 * math.pi * math.sqrt(r * r * r / MU_KM3_S2), 2)


def altitude_band(altitude_km: float) -> Band:
    """Band of an orbit: "LEO" below 2000 km, "MEO" below 35786 km, else "GEO"."""
    if altitude_km < _LEO_BELOW_KM:
        return "LEO"
    return "MEO" if altitude_km < _MEO_BELOW_KM else "GEO"


def orbital_decay_rate(altitude_km: float, area_m2: float, mass_kg: float) -> float:
    """Kilometres a day that drag takes off a circular orbit, not rounded.

    ``da/dt = -C A/m ρ √(μ a)`` for a drag coefficient C of 2.2 and an exponential atmosphere of
    mean solar activity (Vallado, Fundamentals of Astrodynamics and Applications, 8.6.2 and 9.6).

    Parameters
    ----------
    altitude_km : above the mean radius.
    area_m2 : what meets the air.
    mass_kg : of the whole satellite.

    Returns
    -------
    A rate of 0 or more (a loss); 0.0 where an argument is 0 or less.
    """
    if not (altitude_km > 0 and area_m2 > 0 and mass_kg > 0):
        return 0.0
    speed_times_radius = math.sqrt(MU_KM3_S2 * (EARTH_RADIUS_KM + altitude_km)) * _M_PER_KM**2
    drag_area_m2_kg = _DRAG_COEFFICIENT * area_m2 / mass_kg
    loss_m_s = drag_area_m2_kg * _air_density_kg_m3(altitude_km) * speed_times_radius
    return loss_m_s * _S_PER_DAY / _M_PER_KM


def predict_conjunction_risk(distance_km: float, relative_velocity_kms: float) -> float:
    """Screening score of a close approach, 0 to 1; it ranks approaches and is no probability.

    ``exp(-distance / reach)``, where the reach is 1 km of position uncertainty and what the pair
    closes in 1 s of timing uncertainty: the faster they meet, the less a miss distance is worth.

    Parameters
    ----------
    distance_km : predicted miss distance; 0 and less give 1.0.
    relative_velocity_kms : km/s; its sign (closing or parting) does not matter.

    Raises
    ------
    InvalidInputError
        An argument is NaN.
    """
    for field, value in (
        ("distance_km", distance_km),
        ("relative_velocity_kms", relative_velocity_kms),
    ):
        if math.isnan(value):
            raise InvalidInputError(field, value, "a number")
    if distance_km <= 0:
        return 1.0
    reach_km = _POSITION_UNCERTAINTY_KM + _TIME_UNCERTAINTY_S * abs(relative_velocity_kms)
    return math.exp(-distance_km / reach_km)


def _air_density_kg_m3(altitude_km: float) -> float:
    base_km, density, scale_km = _ATMOSPHERE[bisect_right(_BASES_KM, altitude_km) - 1]
    return density * math.exp(-(altitude_km - base_km) / scale_km)
