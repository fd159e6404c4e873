"""How a fleet and its measurements are doing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from aetherops.aggregation.drift import detect_drift
from aetherops.errors import InvalidInputError
from aetherops.statistics.averages import plain_mean

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["Trend", "anomaly_report", "compute_fleet_health", "satellite_ranking", "trend_analysis"]

Trend = Literal["insufficient_data", "improving", "degrading", "stable"]

_FULL_TANK_KG = 200
_FULL_POWER_KW = 10
_COLDEST_C, _HOTTEST_C = -25, 75
_STABLE_WITHIN = 0.05


def compute_fleet_health(satellites: Iterable[Mapping[str, Any]]) -> float:
    """Mean health of the satellites, 0 to 1, rounded to 4; no satellites give 0.0.

    A satellite's health is 0.4 of its fuel (200 kg is full), 0.3 of its power (10 kW is full) and
    0.3 for a temperature from -25 to 75 °C, both included.

    Parameters
    ----------
    satellites : mappings with numbers under ``"fuel_kg"``, ``"power_kw"``, ``"temperature_c"``.

    Raises
    ------
    InvalidInputError
        A satellite lacks one of them.
    """
    return round(plain_mean([_health(sat, i) for i, sat in enumerate(satellites)]), 4)


def satellite_ranking(satellites: Iterable[Mapping[str, Any]]) -> list[Any]:
    """Ids of the satellites by ``fuel_kg + 10 * power_kw``, best first; equals keep their order.

    Parameters
    ----------
    satellites : mappings with ``"id"`` and numbers under ``"fuel_kg"`` and ``"power_kw"``.

    Raises
    ------
    InvalidInputError
        A satellite lacks one of them.
    """
    scored = [
        (
            _field(sat, i, "fuel_kg") + 10 * _field(sat, i, "power_kw"),
            _field(sat, i, "id"),
        )
        for i, sat in enumerate(satellites)
    ]
    return [name for _, name in sorted(scored, key=lambda pair: pair[0], reverse=True)]


def trend_analysis(values: Iterable[float], window: int = 5) -> Trend:
    """Where the newest window of values stands against the one before it.

    Parameters
    ----------
    values : oldest first; more is better.
    window : values in a window, at least 1.

    Returns
    -------
    "insufficient_data" below `window` values. Else the mean of the last window is compared with
    that of the window before it, or of the first window where there are fewer than two: more than
    5 % of the earlier mean's size above it is "improving", below it "degrading", else "stable".

    Raises
    ------
    InvalidInputError
        `window` is below 1 (and there are values).
    """
    series = list(values)
    if not series or len(series) < window:
        return "insufficient_data"
    if window < 1:
        raise InvalidInputError("window", window, "at least one value")
    start = max(len(series) - 2 * window, 0)
    earlier = plain_mean(series[start : start + window])
    change = plain_mean(series[-window:]) - earlier
    if abs(change) <= _STABLE_WITHIN * abs(earlier):
        return "stable"
    return "improving" if change > 0 else "degrading"


def anomaly_report(values: Iterable[float], threshold_z: float = 2.0) -> list[int]:
    """Indices of the values that stand out, exactly as `aetherops.telemetry.detect_drift`."""
    return detect_drift(values, threshold_z)


def _health(satellite: Mapping[str, Any], index: int) -> float:
    fuel = min(_field(satellite, index, "fuel_kg") / _FULL_TANK_KG, 1)
    power = min(_field(satellite, index, "power_kw") / _FULL_POWER_KW, 1)
    temperate = _COLDEST_C <= _field(satellite, index, "temperature_c") <= _HOTTEST_C
    return float(0.4 * fuel + 0.3 * power + 0.3 * temperate)


def _field(satellite: Mapping[str, Any], index: int, name: str) -> Any:
    try:
        return satellite[name]
    except KeyError:
        raise InvalidInputError(
            f"satellites[{index}]", dict(satellite), f"a value for {name!r}"
        ) from None
