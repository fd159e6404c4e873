"""Workflows executed under kills, and the check of what came of them.

``python tests/chaos/execution_chaos.py --kills 200 --seed 7``

Three runners are processes; they and PostgreSQL are killed by SIGKILL, runners stand still for
longer than their lease, sessions are terminated, and answers are lost after their commit. Exit
status 0 if all holds that must.
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
from workflow_history.executing import Executed, execute_and_check

_CHECKED = """\
every step completed at most once, and at no time in two attempts; none begun after its completion
every workflow that was started is completed: no orphan; nothing after its end
every completion has the effect of its own attempt; no event that the fold calls irregular"""


def main() -> int:
    """Execute, print what was done and found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--kills", type=int, default=20, help="processes to kill or hold up")
    parser.add_argument("--at-once", type=int, default=24, help="workflows under way")
    parser.add_argument("--seed", type=int, default=1, help="of all chance")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)  # what servers and drivers say of being killed
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    directory = Path(tempfile.mkdtemp(prefix="aetherops-execution-"))
    try:
        outcome = asyncio.run(execute_and_check(given.kills, given.at_once, given.seed, directory))
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    print(report(given.seed, outcome))
    return 1 if outcome.faults else 0


def report(seed: int, outcome: Executed) -> str:
    """What was done, and what was found."""
    happened = ", ".join(f"{n} {what}" for what, n in sorted(outcome.happened.items()))
    happened = happened.replace("writer", "runner killed").replace("postgres", "PostgreSQL killed")
    lines = [
        f"seed {seed}, {outcome.seconds:.0f} s, {outcome.workflows} workflows, "
        f"{outcome.steps} steps completed in {outcome.attempts} attempts",
        f"happened to 3 runners: {happened}; answers lost after commit: {outcome.answers_lost}",
        f"effects made again by a later attempt, under the same key: {outcome.doubled}",
        f"checked: {_CHECKED}".replace("\n", "\n  "),
        f"faults: {len(outcome.faults)}",
        *(f"  {fault}" for fault in outcome.faults),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
