"""Numbers that have no meaning are told of by field, and waits that never end are not begun."""

from __future__ import annotations

import math
from typing import Any

import pytest

from aetherops.errors import InvalidInputError
from aetherops.resilience import Breaker, BreakerSnapshot, Retry


@pytest.mark.parametrize("away_s", [math.nan, math.inf, -math.inf])
def test_an_absence_is_finite(away_s: float) -> None:
    breaker = Breaker("b")
    with pytest.raises(InvalidInputError, match="away_s"):
        breaker.restore(breaker.snapshot(), away_s)


def test_an_absence_of_ages_ends_every_wait() -> None:
    breaker = Breaker("b")
    breaker.trip()
    breaker.restore(breaker.snapshot(), 1e300)
    assert breaker.call(lambda: 1) == 1


@pytest.mark.parametrize("counts", [None, [], 5, {"no such": 1}, {"calls": "x"}])
def test_a_snapshot_with_other_counts_is_refused(counts: object) -> None:
    kept = Breaker("b").snapshot().to_dict() | {"counts": counts}
    with pytest.raises(InvalidInputError, match="snapshot"):
        BreakerSnapshot.from_dict(kept)


@pytest.mark.parametrize("data", [None, [], "x"])
def test_what_is_no_mapping_is_no_snapshot(data: Any) -> None:
    with pytest.raises(InvalidInputError, match="snapshot"):
        BreakerSnapshot.from_dict(data)


@pytest.mark.parametrize("reading", [1.5, math.inf, 2**63 - 1, 2**70])
def test_a_clock_shows_whole_nanoseconds_beside_which_waits_fit(reading: int) -> None:
    breaker = Breaker("b", clock=lambda: reading)
    for act in (breaker.trip, breaker.snapshot, lambda: breaker.call(int)):
        with pytest.raises(InvalidInputError, match="clock_ns"):
            act()


@pytest.mark.parametrize(
    ("asked_s", "waited_s"), [(-1.0, [0.0]), (math.inf, []), (math.nan, [0.08])]
)
def test_a_wait_that_an_error_asks_for_is_one_that_ends(
    asked_s: float, waited_s: list[float]
) -> None:
    waits: list[float] = []
    retry = Retry(attempts=2, jitter=0.0, asked_s=lambda _: asked_s, sleep=waits.append)
    with pytest.raises(OSError, match="no"):
        retry.call(_fail)
    assert waits == waited_s


def _fail() -> None:
    raise OSError("no")
