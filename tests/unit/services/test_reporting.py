"""Incidents and missions in numbers."""

from __future__ import annotations

from typing import Any

import pytest

from aetherops.errors import InvalidInputError
from aetherops.services.reporting import (
    compliance_report,
    format_incident_row,
    generate_executive_summary,
    mission_report,
    rank_incidents,
)

INCIDENT = {"ticket_id": "T-7", "severity": 4, "subsystem": "power", "description": "bus B down"}


def test_incidents_are_ranked_by_severity_and_equals_keep_their_order() -> None:
    incidents: list[dict[str, Any]] = [
        {"ticket_id": "a", "severity": 2},
        {"ticket_id": "b", "severity": 5},
        {"ticket_id": "c", "severity": 2},
        {"ticket_id": "d"},
        {"ticket_id": "e", "severity": 5},
    ]
    ranked = rank_incidents(iter(incidents))
    assert [incident["ticket_id"] for incident in ranked] == ["b", "e", "a", "c", "d"]
    assert rank_incidents([]) == []


def test_a_compliance_report_has_rates_and_counts() -> None:
    assert compliance_report(2, 3, 99.5) == {
        "resolution_rate": 66.67,
        "sla_met_pct": 99.5,
        "compliant": False,
        "total_incidents": 3,
        "resolved_incidents": 2,
    }


@pytest.mark.parametrize(
    ("resolved", "sla_met_pct", "compliant"),
    [(95, 95, True), (94, 95, False), (95, 94.99, False), (100, 100, True)],
)
def test_compliance_takes_ninety_five_percent_of_both(
    resolved: int, sla_met_pct: float, compliant: bool
) -> None:
    assert compliance_report(resolved, 100, sla_met_pct)["compliant"] is compliant


def test_without_incidents_all_are_resolved() -> None:
    report = compliance_report(0, 0, 100)
    assert (report["resolution_rate"], report["compliant"]) == (100.0, True)


@pytest.mark.parametrize(("resolved", "total"), [(-1, 3), (4, 3), (0, -1)])
def test_no_more_are_resolved_than_there_are(resolved: int, total: int) -> None:
    with pytest.raises(InvalidInputError, match="resolved"):
        compliance_report(resolved, total, 100)


def test_an_incident_is_one_line() -> None:
    assert format_incident_row(INCIDENT) == "[T-7] sev=4 sub=power bus B down"


def test_line_breaks_in_a_description_do_not_break_the_row() -> None:
    row = format_incident_row({**INCIDENT, "description": "bus B\r\n  down\n"})
    assert row == "[T-7] sev=4 sub=power bus B down"


def test_what_an_incident_lacks_is_left_blank() -> None:
    assert format_incident_row({}) == "[] sev=0 sub="


def test_severity_four_is_critical() -> None:
    incidents: list[dict[str, Any]] = [{"severity": 3}, {"severity": 4}, {"severity": 5}, {}]
    assert generate_executive_summary(iter(incidents), 0.91) == {
        "total_incidents": 4,
        "critical_incidents": 2,
        "fleet_health": 0.91,
        "health_status": "healthy",
    }


@pytest.mark.parametrize(("health", "status"), [(0.8, "healthy"), (0.7999, "degraded")])
def test_a_fleet_is_healthy_from_four_fifths(health: float, status: str) -> None:
    summary = generate_executive_summary([], health)
    assert (summary["health_status"], summary["total_incidents"]) == (status, 0)


def test_a_mission_report_adds_the_efficiency() -> None:
    assert mission_report("M-1", 3, 33.3333, [INCIDENT]) == {
        "mission_id": "M-1",
        "burns_executed": 3,
        "fuel_remaining_kg": 33.3333,
        "incidents": [INCIDENT],
        "efficiency": 0.1667,
    }
