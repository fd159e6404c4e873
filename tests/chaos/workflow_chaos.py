"""A history of workflows under kills, and its check.

``python tests/chaos/workflow_chaos.py --kills 200 --events 1000000 --seed 7``

Writers and readers are processes; they and PostgreSQL are killed by SIGKILL, sessions are
terminated, and answers to appends are lost after their commit. Exit status 0 if all holds that
must. Chance comes from the seed; what the machine does with it is another matter.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
from pathlib import Path

import structlog
from workflow_history.running import Outcome, Plan, make_and_check

_CHECKED = """\
positions from 1 without a gap, recorded times growing with them; versions without a gap
every append whole and once; no acknowledged one lost or moved; no refused one stored
no append of an epoch after the next had begun
each reader saw every event, in order: by subscription, by position, by time
states after restarts as before; states folded by readers as folded from the table"""


def main() -> int:
    """Make a history, print what was done and found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=20, help="processes to kill")
    parser.add_argument("--events", type=int, default=20_000, help="events to append at least")
    parser.add_argument("--seed", type=int, default=1, help="of all chance")
    parser.add_argument("--seconds", type=float, default=3_600, help="end at the latest then")
    parser.add_argument("--pause", type=float, default=0.6, help="longest pause between faults, s")
    parser.add_argument("--directory", type=Path, help="where to make it (a temporary one)")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what servers and drivers say of being killed
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    plan = Plan(
        given.kills,
        given.events,
        given.seed,
        given.seconds,
        pause_s=given.pause,
        fold_one_in=max(given.events // 50_000, 2),
    )
    directory = Path(tempfile.mkdtemp(prefix="aetherops-history-", dir=given.directory))
    try:
        outcome = asyncio.run(make_and_check(plan, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(report(plan, outcome))
    return 1 if outcome.fault_count else 0


def report(plan: Plan, outcome: Outcome) -> str:
    """What was done, and what was found."""
    happened = ", ".join(f"{n} {what}" for what, n in sorted(outcome.happened.items()))
    kills = sum(n for what, n in outcome.happened.items() if what != "session terminated")
    notes = outcome.notes
    lines = [
        f"seed {plan.seed}, {outcome.seconds:.0f} s, {outcome.events} events in "
        f"{plan.writers} writers",
        f"kills: {kills} ({happened}); answers lost after commit: {outcome.answers_lost}",
        f"acknowledged: {notes['Ack']} appends; refused: {notes['ConcurrencyError']} by version, "
        f"{notes['FencedError']} by epoch; epochs begun: {notes['Fence']}",
        f"restarts of PostgreSQL looked behind: {outcome.restarts_checked}; "
        f"states of readers compared: {outcome.states_compared}",
        f"checked: {_CHECKED}".replace("\n", "\n  "),
        f"faults: {outcome.fault_count}",
        *(f"  {fault}" for fault in outcome.faults),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
