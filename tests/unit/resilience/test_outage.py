"""Classes of outages."""

from __future__ import annotations

import pytest

from aetherops.resilience import classify_outage


@pytest.mark.parametrize(
    ("minutes", "services", "expected"),
    [
        (240, 1, "critical"),
        (239.9, 1, "major"),
        (60, 4, "critical"),
        (120, 1, "major"),
        (119.9, 1, "degraded"),
        (40, 1, "degraded"),
        (39.9, 1, "minor"),
        (10, 4, "degraded"),
        (0, 9, "minor"),
    ],
)
def test_service_minutes_make_the_class(minutes: float, services: int, expected: str) -> None:
    assert classify_outage(minutes, services) == expected


@pytest.mark.parametrize("services", [0, -3])
def test_an_outage_touches_one_service_at_least(services: int) -> None:
    assert classify_outage(120, services) == "major"
