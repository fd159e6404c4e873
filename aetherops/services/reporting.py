"""Incidents and missions, told in numbers.

An incident is a mapping with ``"ticket_id"``, ``"severity"`` (higher is worse), ``"subsystem"``
and ``"description"``. A missing severity counts as 0, a missing text as empty.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "compliance_report",
    "format_incident_row",
    "generate_executive_summary",
    "mission_report",
    "rank_incidents",
]

_COMPLIANT_FROM_PCT = 95
_CRITICAL_FROM_SEVERITY = 4
_HEALTHY_FROM = 0.8
_FULL_TANK_KG = 200


def rank_incidents(incidents: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Incidents by severity, highest first; equals keep their order."""
    return sorted(incidents, key=_severity, reverse=True)


def compliance_report(resolved: int, total: int, sla_met_pct: float) -> dict[str, Any]:
    """Whether incidents are resolved and service levels met as agreed.

    Parameters
    ----------
    resolved, total : incidents resolved, of all; ``0 <= resolved <= total``.
    sla_met_pct : percent of the service level objectives met.

    Returns
    -------
    ``resolution_rate`` (percent, 2 digits; 100.0 where there was nothing to resolve),
    ``sla_met_pct``, ``compliant`` (both are at least 95), ``total_incidents``,
    ``resolved_incidents``.

    Raises
    ------
    InvalidInputError
        `resolved` is negative or above `total`.
    """
    if not 0 <= resolved <= total:
        raise InvalidInputError("resolved", resolved, f"0 to {total} incidents")
    resolution_rate = round(resolved / total * 100, 2) if total else 100.0
    return {
        "resolution_rate": resolution_rate,
        "sla_met_pct": sla_met_pct,
        "compliant": min(resolution_rate, sla_met_pct) >= _COMPLIANT_FROM_PCT,
        "total_incidents": total,
        "resolved_incidents": resolved,
    }


def format_incident_row(incident: Mapping[str, Any]) -> str:
    """One line: ``[ticket] sev=… sub=… description``; line breaks become single spaces."""
    row = (
        f"[{incident.get('ticket_id', '')}] sev={_severity(incident)} "
        f"sub={incident.get('subsystem', '')} {incident.get('description', '')}"
    )
    return " ".join(row.split())


def generate_executive_summary(
    incidents: Iterable[Mapping[str, Any]], fleet_health: float
) -> dict[str, Any]:
    """The state of affairs in four numbers and a word.

    Parameters
    ----------
    incidents : all of them.
    fleet_health : 0 to 1, as `aetherops.services.analytics.compute_fleet_health` gives it.

    Returns
    -------
    ``total_incidents``, ``critical_incidents`` (severity 4 and more), ``fleet_health`` as given,
    ``health_status``: "healthy" from 0.8, else "degraded".
    """
    severities = [_severity(incident) for incident in incidents]
    return {
        "total_incidents": len(severities),
        "critical_incidents": sum(one >= _CRITICAL_FROM_SEVERITY for one in severities),
        "fleet_health": fleet_health,
        "health_status": "healthy" if fleet_health >= _HEALTHY_FROM else "degraded",
    }


def mission_report(
    mission_id: str, burns_executed: int, fuel_remaining_kg: float, incidents: Any
) -> dict[str, Any]:
    """What a mission did and has left.

    Parameters
    ----------
    mission_id : its name.
    burns_executed : manoeuvres flown.
    fuel_remaining_kg : what is left of 200 kg.
    incidents : its incidents or their number; reported as given.

    Returns
    -------
    The four arguments under their names and ``efficiency``, the fuel left as a share of 200 kg,
    rounded to 4.
    """
    return {
        "mission_id": mission_id,
        "burns_executed": burns_executed,
        "fuel_remaining_kg": fuel_remaining_kg,
        "incidents": incidents,
        "efficiency": round(fuel_remaining_kg / _FULL_TANK_KG, 4),
    }


def _severity(incident: Mapping[str, Any]) -> Any:
    return incident.get("severity", 0)
