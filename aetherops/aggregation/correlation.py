"""How two streams relate in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, TypedDict

from aetherops import core
from aetherops.aggregation.columns import float64_column
from aetherops.errors import InvalidInputError

__all__ = ["Correlation", "align_telemetry_timestamps", "correlate_streams"]


class Correlation(TypedDict):
    best_lag: int
    correlation: float


def correlate_streams(a: Iterable[float], b: Iterable[float], max_lag: int = 5) -> Correlation:
    """The lag at which the products ``a[i] * b[i + lag]`` are largest in the mean.

    Lags run from ``-max_lag`` to ``max_lag``, ``i`` over the length of the shorter stream, ``i +
    lag`` over all of ``b``. Lags without a pair, as those beyond the longer stream's length, are
    passed over. Of equal means the first lag wins. Empty streams give lag 0 and 0.0.

    Returns
    -------
    ``best_lag``, and ``correlation``: its mean product, rounded to 4 digits. It is not normalised:
    take means away and divide by deviations first where streams of different scale are compared.
    """
    if max_lag < 0:
        raise InvalidInputError("max_lag", max_lag, "0 or more")
    means = core.lagged_means(float64_column(a, "a"), float64_column(b, "b"), max_lag)
    best_lag, best = 0, None
    for lag, mean in enumerate(means, -(len(means) // 2)):
        if mean == mean and (best is None or mean > best):
            best_lag, best = lag, mean
    return {"best_lag": best_lag, "correlation": 0.0 if best is None else round(best, 4)}


def align_telemetry_timestamps(
    readings: Iterable[Mapping[str, Any]],
    reference_time: datetime | float,
    max_drift_s: float = 60.0,
) -> list[dict[str, Any]]:
    """Copies of the readings with their distance from a reference time.

    Parameters
    ----------
    readings : mappings with a ``timestamp``, in seconds or as a datetime, as the reference is.
    reference_time : what each is compared with, never the reading before it.
    max_drift_s : largest distance that counts as aligned.

    Returns
    -------
    The readings, each with ``offset_s`` (signed seconds after the reference, rounded to 4 digits)
    and ``aligned``. A reading without a timestamp has offset 0.0 and is aligned.
    """
    return [_aligned(reading, reference_time, max_drift_s) for reading in readings]


def _aligned(
    reading: Mapping[str, Any], reference_time: datetime | float, max_drift_s: float
) -> dict[str, Any]:
    timestamp = reading.get("timestamp")
    if timestamp is None:
        return {**reading, "offset_s": 0.0, "aligned": True}
    offset = timestamp - reference_time
    offset_s = offset.total_seconds() if isinstance(offset, timedelta) else float(offset)
    return {
        **reading,
        "offset_s": round(offset_s, 4),
        "aligned": abs(offset_s) <= max_drift_s,
    }
