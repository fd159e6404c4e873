"""How bad an outage is."""

from __future__ import annotations

from typing import Literal

__all__ = ["OutageClass", "classify_outage"]

OutageClass = Literal["critical", "major", "degraded", "minor"]

# Service minutes from which an outage is of a class, worst first.
_CLASSES: tuple[tuple[float, OutageClass], ...] = (
    (240, "critical"),
    (120, "major"),
    (40, "degraded"),
)


def classify_outage(minutes: float, impacted_services: int) -> OutageClass:
    """Class of an outage by its service minutes.

    Parameters
    ----------
    minutes : how long it lasted.
    impacted_services : how many services it touched; less than 1 counts as 1.

    Returns
    -------
    "critical" from 240 service minutes, "major" from 120, "degraded" from 40, else "minor".
    """
    service_minutes = minutes * max(impacted_services, 1)
    return next((name for least, name in _CLASSES if service_minutes >= least), "minor")
