"""What must not be taken away: ``python tests/mutations.py [NAME…]``.

Takes one safeguard at a time out of a copy of the package, and runs the tests that are to notice.
Exit status 1 where they do not, or where a safeguard is not found where it was.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

__all__ = ["MUTATIONS", "Mutation", "mutated"]

_ROOT = Path(__file__).resolve().parent.parent
_COPIED = ("aetherops", "tests", "pyproject.toml")
_KILLER = re.compile(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", re.MULTILINE)

_STORES = "tests/integration/workflow"
_MIGRATION = "aetherops/migrations/0010_workflow_events.sql"
_LEASES = "aetherops/workflow/postgres/leases.py"
_MEMORY = "aetherops/workflow/memory.py"


class Mutation(NamedTuple):
    """A safeguard that is taken away.

    Parameters
    ----------
    name : what is no more.
    path : of the file that it stands in, which holds ``text`` once.
    text, instead : what is replaced, and by what.
    tests : those that are to notice.
    """

    name: str
    path: str
    text: str
    instead: str
    tests: str


MUTATIONS = (
    Mutation(
        "lock",
        _MIGRATION,
        "    PERFORM pg_advisory_xact_lock(x'AE7E00000002'::bigint);\n",
        "",
        f"{_STORES}/test_order_traps.py",
    ),
    Mutation(
        "epoch",
        _MIGRATION,
        "AND (a.epoch IS NULL OR a.epoch = seen.epoch)",
        "",
        f"{_STORES}/test_event_store.py",
    ),
    Mutation(
        "expected-version",
        _MIGRATION,
        "NOT seen.known AND seen.version = a.expected",
        "NOT seen.known",
        f"{_STORES}/test_event_store.py",
    ),
    Mutation(
        "recorded-time-grows",
        _MIGRATION,
        "greatest(now_us, e.recorded_us + 1)",
        "now_us",
        f"{_STORES}/test_order_traps.py",
    ),
    Mutation(
        "time-of-the-append",
        _MIGRATION,
        "    now_us := extract(epoch FROM clock_timestamp()) * 1000000;\n",
        "    now_us := extract(epoch FROM now()) * 1000000;\n",
        f"{_STORES}/test_order_traps.py",
    ),
    Mutation(
        "position-without-gap",
        _MIGRATION,
        "SELECT e.position + 1, ",
        "SELECT e.position + 2, ",
        f"{_STORES}/test_event_store.py",
    ),
    Mutation(
        "known-id",
        _MIGRATION,
        "a.i = ANY (known_appends) AS known",
        "false AS known",
        f"{_STORES}/test_event_store.py",
    ),
    Mutation(
        "isolation",
        _MIGRATION,
        "IF current_setting('transaction_isolation') <> 'read committed' THEN",
        "IF false THEN",
        f"{_STORES}/test_order_traps.py",
    ),
    Mutation(
        "append-only",
        _MIGRATION,
        "    RAISE insufficient_privilege USING\n",
        "    RETURN NULL;\n    RAISE insufficient_privilege USING\n",
        f"{_STORES}/test_order_traps.py",
    ),
    Mutation(
        "same-id-same-content",
        "aetherops/workflow/postgres/appending.py",
        "if row is not None and not is_same(row, event, payload):",
        "if False:",
        f"{_STORES}/test_event_store.py",
    ),
    Mutation(
        "versions-follow",
        "aetherops/workflow/appends.py",
        "if event.version != first.version + i:",
        "if False:",
        f"{_STORES}/test_event_store.py",
    ),
    Mutation(
        "readers-look-for-gaps",
        "aetherops/workflow/following.py",
        "if event.position != after + 1:",
        "if False:",
        f"{_STORES}/test_order_traps.py",
    ),
    Mutation(
        "fold-looks-for-gaps",
        "aetherops/workflow/projection/projection.py",
        "if event.version != version:",
        "if False:",
        "tests/unit/workflow/test_order_in_memory.py",
    ),
    Mutation(
        "published-after-the-one-before",
        "aetherops/workflow/jetstream/publisher.py",
        '                "Nats-Expected-Last-Sequence": str(event.position - 1),\n',
        "",
        f"{_STORES}/test_publication.py",
    ),
    Mutation(
        "epoch-in-memory",
        _MEMORY,
        "if append.epoch is not None and append.epoch != epoch:",
        "if False:",
        f"{_STORES}/test_event_store.py",
    ),
    Mutation(
        "expected-version-in-memory",
        _MEMORY,
        "if append.expected_version != len(of_workflow):",
        "if False:",
        f"{_STORES}/test_event_store.py",
    ),
    Mutation(
        "recorded-time-grows-in-memory",
        _MEMORY,
        "max(now, self._recorded[-1] + _MICROSECOND)",
        "max(now, now)",
        "tests/unit/workflow/test_order_in_memory.py",
    ),
    Mutation(
        "epoch-of-a-claim",
        _LEASES,
        "SET runner = $1, epoch = workflow_fence(r.workflow_id)",
        "SET runner = $1, epoch = r.epoch",
        f"{_STORES}/test_leases.py",
    ),
    Mutation(
        "lease-of-the-living",
        _LEASES,
        "OR h.beat_at + h.lease_ms * interval '1 millisecond' < clock_timestamp() END",
        "OR h.beat_at IS NOT NULL END",
        f"{_STORES}/test_leases.py",
    ),
    Mutation(
        "lock-of-a-claim",
        _LEASES,
        "ORDER BY r.due_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        "ORDER BY r.due_at LIMIT $2",
        f"{_STORES}/test_leases.py",
    ),
    Mutation(
        "event-before-the-release",
        _LEASES,
        "CASE WHEN woken_position > $4 THEN clock_timestamp() ELSE $5 END",
        "$5",
        f"{_STORES}/test_leases.py",
    ),
    Mutation(
        "epoch-of-a-step",
        "aetherops/workflow/execution/driving.py",
        "                epoch=self._claim.epoch,\n",
        "",
        f"{_STORES}/test_execution.py",
    ),
    Mutation(
        "word-of-who-asked",
        "aetherops/workflow/execution/waiting.py",
        "voters: set[str | None] = {turn.requested_by}",
        "voters: set[str | None] = set()",
        "tests/unit/workflow/execution/test_decisions.py",
    ),
)


def main() -> int:
    """Take away what is named, or everything, one by one."""
    wanted = set(sys.argv[1:]) or {mutation.name for mutation in MUTATIONS}
    chosen = [mutation for mutation in MUTATIONS if mutation.name in wanted]
    if unknown := wanted - {mutation.name for mutation in chosen}:
        print(f"no safeguard is called {', '.join(sorted(unknown))}")
        return 1
    survivors = 0
    print(f"{'nothing':30}", end=" ", flush=True)
    status, output = _run(None, " ".join(sorted({mutation.tests for mutation in chosen})))
    if status != 0:
        print(f"the tests fail by themselves:\n{output[-3_000:]}")
        return 1
    print("noticed by no test, as it must be")
    for mutation in chosen:
        print(f"{mutation.name:30}", end=" ", flush=True)
        begun = time.monotonic()
        status, output = _run(mutation, mutation.tests)
        killer = _KILLER.search(output)
        if status == 1 and killer:
            print(f"noticed by {killer[1]} ({time.monotonic() - begun:.0f} s)")
        else:
            survivors += 1
            print(f"NOT NOTICED: pytest ended with {status}\n{output[-1_000:]}")
    return 1 if survivors else 0


def mutated(mutation: Mutation, source: str) -> str:
    """The source without the safeguard; raises `ValueError` where it does not hold it once."""
    if (times := source.count(mutation.text)) != 1:
        raise ValueError(f"{mutation.name}: {mutation.path} holds {mutation.text!r} {times} times")
    return source.replace(mutation.text, mutation.instead)


def _run(mutation: Mutation | None, tests: str) -> tuple[int, str]:
    with tempfile.TemporaryDirectory(prefix="aetherops-mutation-") as directory:
        copy = Path(directory)
        for name in _COPIED:
            if (_ROOT / name).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(_ROOT / name, copy / name, ignore=ignored)
            else:
                shutil.copy(_ROOT / name, copy / name)
        if mutation is not None:
            path = copy / mutation.path
            path.write_text(mutated(mutation, path.read_text(encoding="utf-8")), encoding="utf-8")
        ended = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"),
                *tests.split(),
            ],
            cwd=copy,
            env=os.environ | {"PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            check=False,
        )
        return ended.returncode, ended.stdout + ended.stderr


if __name__ == "__main__":
    sys.exit(main())
