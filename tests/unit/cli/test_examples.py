"""The examples that need no server run as they stand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[3] / "examples"


def output_of(name: str, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name), *arguments],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.splitlines()


def test_a_csv_file_is_read_without_a_server() -> None:
    heading, *samples, rejected = output_of("read_csv.py")
    assert heading == "value over utc (ISO 8601)"
    assert samples == ["2026-01-31T12:00:00Z 1.5", "2026-01-31T12:00:02Z 2.5"]
    assert rejected.startswith("line 3: empty value")


def test_the_fleet_is_where_orbits_are() -> None:
    lines = output_of("fleet_now.py")
    assert [line.split()[0] for line in lines][:2] == ["vanguard-1", "delta-1-debris"]
    assert len(lines) == 6
    assert all(line.endswith(("in sunlight", "in shadow")) for line in lines)
