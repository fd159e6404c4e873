"""The example of a burn campaign, from its plan to the orbit that it leads to."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from aetherops.connections.postgres import Postgres
from aetherops.workflow import ApprovalGranted, ApprovalRefused, TimerCancelled

from .fleets import Fleet

pytestmark = pytest.mark.integration

EXAMPLE = Path(__file__).parents[3] / "examples" / "burn_campaign.py"
ORBIT = {"semi_major_axis_km": 6_778.0, "wanted_km": 6_788.0}


@pytest.fixture
def fleet(runtime_postgres: Postgres) -> Fleet:
    return Fleet(runtime_postgres, runpy.run_path(str(EXAMPLE))["registry"])


async def begin(fleet: Fleet, orbit: dict[str, Any]) -> None:
    await fleet.start(fleet.registry.latest("burn-campaign"), input=orbit)


async def test_a_burn_takes_the_words_of_two_others(fleet: Fleet) -> None:
    async with fleet.runner():
        await begin(fleet, ORBIT)
        await fleet.until(lambda state: len(state.approvals) == 2)
        await fleet.tell(ApprovalGranted, "ben", approval="go/1")
        await fleet.tell(ApprovalGranted, "cem", approval="go/2")
        await fleet.until(lambda state: "settle" in state.timers)
        await fleet.tell(TimerCancelled, "ben", timer="settle")
        state = await fleet.until_done()
    assert state.result == {"verify": {"seen_km": 6_788.0}}
    assert state.steps["go"].result == {"granted_by": ["ben", "cem"]}
    plan: Any = state.steps["plan"].result
    assert plan["dv_m_s"] == pytest.approx(5.66, abs=0.01)
    assert state.steps["uplink"].result == "queued as 1:w/uplink"


async def test_an_orbit_that_came_out_otherwise_fails_and_clears_the_queue(fleet: Fleet) -> None:
    async with fleet.runner():
        await begin(fleet, ORBIT | {"seen_km": 6_785.0})
        await fleet.until(lambda state: len(state.approvals) == 2)
        await fleet.tell(ApprovalGranted, "ben", approval="go/1")
        await fleet.tell(ApprovalGranted, "cem", approval="go/2")
        await fleet.until(lambda state: "settle" in state.timers)
        await fleet.tell(TimerCancelled, "ben", timer="settle")
        state = await fleet.until_done()
    assert state.error == (
        "step verify: ValueError: semi-major axis 6785.0 km, 6788.0 km was wanted"
    )
    assert state.steps["undo uplink"].status == "completed"


async def test_one_no_keeps_the_burn_from_being_uplinked(fleet: Fleet) -> None:
    async with fleet.runner():
        await begin(fleet, ORBIT)
        await fleet.until(lambda state: len(state.approvals) == 2)
        await fleet.tell(ApprovalRefused, "ben", approval="go/2", comment="conjunction")
        state = await fleet.until_done()
    assert state.error == "step go: refused by ben: conjunction"
    assert set(state.steps) == {"plan", "go"}


async def test_a_burn_that_is_not_worth_it_is_asked_of_nobody(fleet: Fleet) -> None:
    async with fleet.runner():
        await begin(fleet, {"semi_major_axis_km": 6_788.0, "wanted_km": 6_788.0})
        state = await fleet.until_done()
    assert state.result == {"verify": {"seen_km": 6_788.0}}
    assert state.approvals == {}
