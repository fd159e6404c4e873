"""The steps of a workflow over time, as a terminal shows them."""

from __future__ import annotations

import pytest

from aetherops.cli.workflow.timeline import ASCII, DRAWN, duration_text, timeline
from aetherops.instants import parse_us

NOON_US = parse_us("2026-01-31T12:00:00Z")
MINUTE = 60_000_000


def attempt(number=1, status="completed", start=None, end=None, **more):
    def text(minute):
        return None if minute is None else f"2026-01-31T12:{minute:02}:00Z"

    given = {"executor": None, "error": None, "retryAt": None}
    times = {"startedAt": text(start), "endedAt": text(end)}
    return {"number": number, "status": status, **times, **given, **more}


def step(name, status, *attempts):
    return {"name": name, "status": status, "attempts": list(attempts), "result": None}


STEPS = [
    step("align", "completed", attempt(start=0, end=5)),
    step(
        "ignite",
        "completed",
        attempt(status="failed", start=5, end=7, error="cold"),
        attempt(2, start=8, end=10),
    ),
    step("coast", "running", attempt(status="running", start=10, executor="node-1")),
]


def test_every_attempt_has_a_bar_at_its_time():
    drawn = timeline(STEPS, NOON_US + 20 * MINUTE, 80)
    assert drawn == [
        "        2026-01-31T12:00:00Z" + "2026-01-31T12:20:00Z".rjust(26),
        "        " + "─" * 46,
        "align   " + "███████████✓".ljust(46) + "  completed, 5m",
        "ignite  " + "           ▒▒▒▒▒✗ █████✓".ljust(46) + "  completed, 2m, attempt 2",
        "coast   " + "                       ██████████████████████▶" + "  running, 10m, on node-1",
    ]


def test_it_is_as_wide_as_the_terminal_and_never_cut():
    for width in (60, 80, 120, 200):
        drawn = timeline(STEPS, NOON_US + 20 * MINUTE, width)
        assert max(map(len, drawn)) <= width
    narrow = timeline(STEPS, NOON_US + 20 * MINUTE, 10)
    assert narrow[0].strip() == "2026-01-31T12:00:00Z"
    assert narrow[1].strip() == "2026-01-31T12:20:00Z"
    assert all(note in "\n".join(narrow) for note in ("attempt 2", "on node-1"))


def test_it_can_be_drawn_in_ascii_alone():
    drawn = "\n".join(timeline(STEPS, NOON_US + 20 * MINUTE, 80, ASCII))
    assert drawn.isascii()
    assert set("#x=+!>-") <= set(drawn)


def test_what_runs_reaches_to_the_instant_that_was_asked_about():
    early = timeline(STEPS, NOON_US + 11 * MINUTE, 80)
    assert early[0].endswith("2026-01-31T12:11:00Z")
    assert early[-1].endswith("running, 1m, on node-1")


def test_a_step_that_failed_says_why():
    drawn = timeline(
        [step("burn", "failed", attempt(status="failed", start=0, end=1, error="cold"))],
        NOON_US,
        80,
    )
    assert drawn[-1].endswith("failed, 1m, cold")
    assert DRAWN.broken in drawn[-1]


def test_attempts_of_which_no_time_is_known_have_no_bar():
    captured = step("burn", "completed", attempt())
    assert timeline([captured], NOON_US, 80) == ["burn  completed"]
    drawn = timeline([captured, step("align", "completed", attempt(start=0, end=1))], NOON_US, 80)
    assert drawn[2].split() == ["burn", "completed"]


def test_attempts_that_take_no_time_are_seen():
    steps = [step(f"s{i}", "completed", attempt(start=0, end=0)) for i in range(2)]
    assert all(DRAWN.done in line for line in timeline(steps, NOON_US, 80)[2:])


def test_an_attempt_that_ended_before_it_began_by_another_clock_is_drawn_where_it_began():
    drawn = timeline([step("s", "completed", attempt(start=5, end=4))], NOON_US, 80)
    assert drawn[-1].endswith("completed, 0.0s")


@pytest.mark.parametrize(
    ("us", "text"),
    [
        (0, "0.0s"),
        (1_500_000, "1.5s"),
        (59_900_000, "59.9s"),
        (60_000_000, "1m"),
        (125_000_000, "2m 5s"),
        (3_600_000_000, "1h"),
        (3_661_000_000, "1h 1m"),
        (90_000_000_000, "1d 1h"),
    ],
)
def test_a_length_of_time_is_told_in_its_two_largest_units(us, text):
    assert duration_text(us) == text
