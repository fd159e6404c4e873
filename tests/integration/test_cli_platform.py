"""The commands as a user types them: a platform of its own, real files in, answers out."""

from __future__ import annotations

import csv
import json
import math
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from aetherops.instants import parse_us
from aetherops.runtime.data_dir.instance import read_instance

from .platforms import Platform, environment, run, running

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

FLEET_STREAM = "orbit/cbers-2/altitude_km"
ISS_CHANNELS = [
    *("P4000001", "P4000002", "P4000007", "S0000004", "S1000001", "S1000002", "S1000003"),
    *("Z1000001", "Z1000005", "Z1000009", "Z1000013"),
]
NOAA_COLUMNS = [
    ("mag", "bx_gsm"),
    ("mag", "bt"),
    ("plasma", "density"),
    ("plasma", "speed"),
    ("plasma", "temperature"),
]


@pytest.fixture(scope="module")
def directory() -> Iterator[Path]:
    # Not pytest's: its directories are closed to the user that PostgreSQL runs as under root.
    path = Path(tempfile.mkdtemp(prefix="aetherops-cli-"))
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def platform(directory: Path) -> Iterator[Platform]:
    with running(directory / "data", "--demo") as started:
        yield started


def kept_values(path: Path, time_column: str, value_column: str) -> tuple[list[float], int]:
    """What a store that keeps the last value of an instant holds, and how many rows are empty."""
    kept: dict[str, float] = {}
    empty = 0
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row[value_column]:
                kept[row[time_column]] = float(row[value_column])
            else:
                empty += 1
    return [kept[instant] for instant in sorted(kept)], empty


def assert_exact(statistics: Mapping[str, Any], values: list[float]) -> None:
    """Statistics against rational arithmetic over the same values."""
    exact = [Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / (len(exact) - 1)
    deviation = math.sqrt(variance)
    assert statistics["count"] == len(values)
    assert statistics["mean"] == pytest.approx(float(mean), rel=1e-13, abs=1e-14 * deviation)
    assert statistics["stddev"] == pytest.approx(deviation, rel=1e-12)
    assert (statistics["min"], statistics["max"]) == (min(values), max(values))
    assert (statistics["first"], statistics["last"]) == (values[0], values[-1])
    ordered = sorted(values)
    for percentile in statistics["percentiles"]:
        place = max(math.ceil(percentile["rank"] / 100 * len(ordered)), 1)
        assert percentile["value"] == ordered[place - 1]


def assert_as_published(statistics: Mapping[str, Any], shared_data: Path, name: str) -> None:
    """Statistics against the reference, where it is of the same set of samples."""
    reference = json.loads((shared_data / "reference_stats.json").read_text())["series"][name]
    assert statistics["count"] == reference["n"]
    deviation = float(reference["sample_std"])
    assert statistics["mean"] == pytest.approx(
        float(reference["mean"]), rel=1e-13, abs=1e-14 * deviation
    )
    assert statistics["stddev"] == pytest.approx(deviation, rel=1e-12)
    assert (statistics["min"], statistics["max"]) == (reference["min"], reference["max"])


class TestRealFiles:
    @pytest.mark.parametrize("channel", ISS_CHANNELS)
    def test_a_channel_of_the_space_station(
        self, platform: Platform, shared_data: Path, channel: str
    ) -> None:
        path = shared_data / "iss" / f"OFT2_{channel}.csv"
        values, _ = kept_values(path, "utc", "value")
        arguments = (
            str(path),
            *("--stream", f"iss/oft2/{channel}"),
            *("--time-column", "utc", "--value-column", "value"),
        )
        first = platform.run("ingest", *arguments)
        assert first.status == 0, first.errors
        rows = first.counts["rows read"]
        # One channel has one row twice.
        assert rows - len(values) == (channel == "S0000004")
        assert first.counts["stored"] == len(values)
        assert first.counts["duplicates"] == rows - len(values)

        again = platform.run("ingest", *arguments)
        assert again.status == 0
        assert (again.counts["stored"], again.counts["duplicates"]) == (0, rows)

        statistics = platform.query(f"iss/oft2/{channel}")["statistics"]
        assert_exact(statistics, values)
        if rows == len(values):
            assert_as_published(statistics, shared_data, path.name)

    @pytest.mark.parametrize(("file", "column"), NOAA_COLUMNS)
    def test_a_week_of_solar_wind(
        self, platform: Platform, shared_data: Path, file: str, column: str
    ) -> None:
        path = shared_data / "timestamped" / f"noaa_rtsw_{file}_2026-04-11.csv"
        values, empty = kept_values(path, "time_tag", column)
        done = platform.run(
            "ingest", str(path), "--stream", f"noaa/rtsw/{column}", "--value-column", column
        )
        assert done.status == (1 if empty else 0)
        assert done.counts["stored"] == len(values)
        assert done.counts["rejected"] == empty
        statistics = platform.query(f"noaa/rtsw/{column}")["statistics"]
        assert_exact(statistics, values)
        assert_as_published(statistics, shared_data, f"{path.name}:{column}")

    def test_a_machine_whose_clock_was_set_back(
        self, platform: Platform, shared_data: Path
    ) -> None:
        path = shared_data / "timestamped" / "nab_machine_temperature_system_failure.csv"
        values, _ = kept_values(path, "timestamp", "value")
        stream = "plant/machine/temperature"

        refused = platform.run("ingest", str(path), "--stream", stream)
        assert refused.status == 2
        assert "--timezone" in refused.errors
        assert refused.counts["rejected"] == refused.counts["rows read"] == 22_695

        arguments = (str(path), "--stream", stream, "--timezone", "UTC")
        first = platform.run("ingest", *arguments)
        assert first.status == 0
        assert len(values) == 22_683
        assert (first.counts["stored"], first.counts["corrected"]) == (22_683, 12)
        again = platform.run("ingest", *arguments)
        assert again.counts["stored"] == 0
        assert_exact(platform.query(stream)["statistics"], values)


class TestBadInput:
    TEXT = (
        "utc;value\r\n"
        "2026-01-31T12:00:00Z;1.5\r\n"
        "2026-01-31T12:00:01Z;\r\n"
        "2026-01-31T12:00:02Z;NaN\r\n"
        "yesterday;4\r\n"
        "2026-01-31T12:00:04Z;5.5\r\n"
        "2026-01-31T12:00:05Z;six\r\n"
        "2026-01-31T12:00:06Z;7;8\r\n"
        "2026-01-31T12:00:07;8"
    )

    def test_good_rows_are_kept_and_bad_ones_named(
        self, platform: Platform, directory: Path
    ) -> None:
        rejects = directory / "rejects.csv"
        done = platform.run(
            "ingest", "-", "--stream", "test/bad/rows", "--rejects", str(rejects), text=self.TEXT
        )
        assert done.status == 1
        assert (done.counts["stored"], done.counts["rejected"]) == (2, 6)
        assert "standard input:3: empty value" in done.errors
        assert "… and 1 more" in done.errors
        with rejects.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [(row["line"], row["reason"]) for row in rows] == [
            ("3", "empty value"),
            ("4", "non-finite value"),
            ("5", "unreadable time"),
            ("7", "unreadable value"),
            ("8", "wrong number of fields"),
            ("9", "time without offset"),
        ]
        values = platform.query("test/bad/rows")["columns"]["values"]
        assert [value for value in values if value is not None] == [1.5, 5.5]

    def test_a_wrong_token_is_refused(self, platform: Platform, directory: Path) -> None:
        path = directory / "one.csv"
        path.write_text("utc,value\n2026-01-31T12:00:00Z,1\n")
        where = ("--url", platform.url, "--token", "wrong")
        for arguments in (
            ("ingest", str(path), "--stream", "test/wrong/token", *where),
            ("query", "test/wrong/token", *where),
        ):
            done = run(*arguments)
            assert done.status == 3
            assert "token" in done.errors
            assert len(done.errors.splitlines()) == 1

    def test_an_unknown_stream_lists_close_names(self, platform: Platform) -> None:
        platform.run("ingest", "-", "--stream", "test/bad/rows", text=self.TEXT)
        done = platform.run("query", "test/bad/row")
        assert done.status == 2
        assert "did you mean test/bad/rows" in done.errors

    def test_an_inverted_range_is_refused(self, platform: Platform) -> None:
        platform.run("ingest", "-", "--stream", "test/bad/rows", text=self.TEXT)
        done = platform.run(
            "query",
            "test/bad/rows",
            *("--start", "2026-01-31T12:00:00Z", "--end", "2026-01-30T12:00:00Z"),
        )
        assert done.status == 2
        assert "--end" in done.errors

    def test_a_taken_port_is_told_in_one_line(self, platform: Platform, directory: Path) -> None:
        port = platform.url.rsplit(":", 1)[1]
        done = run("up", "--port", port, "--data-dir", str(directory / "other"))
        assert done.status == 3
        assert f":{port}" in done.errors
        assert len(done.errors.splitlines()) == 1

    def test_a_second_platform_on_the_directory_is_told_in_one_line(
        self, platform: Platform
    ) -> None:
        done = run("up", "--port", "0", "--data-dir", str(platform.data_dir))
        assert done.status == 3
        assert str(platform.data_dir) in done.errors
        assert len(done.errors.splitlines()) == 1


class TestAnswers:
    def test_a_minted_token_and_the_address_are_enough(self, platform: Platform) -> None:
        minted = platform.run("token", "--roles", "engineer", "--lifetime", "5m")
        where = ("--url", platform.url, "--token", minted.output.strip())
        lines = "".join(f"{1_769_860_800 + i}\t{i / 8}\n" for i in range(10))
        done = run("ingest", "-", "--stream", "test/epoch/value", *where, text=lines)
        assert done.status == 0, done.errors
        assert "epoch seconds" in done.output
        assert done.counts["stored"] == 10
        told = run("query", "test/epoch/value", *where)
        assert told.status == 0
        assert "mean       0.5625" in told.output

    def test_points_come_as_csv_and_as_a_plot(self, platform: Platform) -> None:
        text = "".join(f"2026-01-31T12:00:{i:02}Z,{i}\n" for i in range(60) if not 20 <= i < 40)
        platform.run("ingest", "-", "--stream", "test/shape/value", text=text)
        span = ("--start", "2026-01-31T12:00:00Z", "--end", "2026-01-31T12:01:00Z")
        points = platform.run("query", "test/shape/value", *span, "--buckets", "6", "--csv")
        rows = list(csv.reader(points.output.splitlines()))
        assert rows[0] == ["time", "value", "count"]
        assert [row[1] for row in rows[1:]] == ["4.5", "14.5", "", "", "44.5", "54.5"]
        plot = platform.run("query", "test/shape/value", *span, "--plot")
        assert plot.status == 0
        assert plot.output.startswith("test/shape/value\n")
        assert "2026-01-31T12:00:00Z" in plot.output

    def test_the_demonstration_fleet_is_ingested_and_goes_on(self, platform: Platform) -> None:
        answer = wait_for_a_day(platform)
        assert answer["stream"]["unit"] == "km"
        assert 760 < answer["statistics"]["min"] < answer["statistics"]["max"] < 820
        before, deadline = parse_us(answer["range"]["end"]), time.monotonic() + 30
        while parse_us(platform.query(FLEET_STREAM)["range"]["end"]) <= before:
            assert time.monotonic() < deadline
            time.sleep(0.5)

    def test_the_query_to_paste_is_one_that_works(self, platform: Platform) -> None:
        wait_for_a_day(platform)
        response = httpx.post(
            f"{platform.url}/graphql",
            json={"query": platform.told["GraphQL"]},
            headers={"Authorization": f"Bearer {read_instance(platform.data_dir).token}"},
            timeout=30,
        )
        answer = response.json()
        assert "errors" not in answer
        assert answer["data"]["telemetry"]["statistics"]["count"] == 3600


def test_the_example_of_the_http_interface_runs(platform: Platform) -> None:
    example = Path(__file__).parents[2] / "examples" / "ingest_and_ask.py"
    done = subprocess.run(
        [sys.executable, str(example), "--data-dir", str(platform.data_dir)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
    )
    statistics, anomalies, *points = done.stdout.splitlines()
    assert "'count': 600" in statistics
    assert "'total': 1" in anomalies
    assert 10 <= len(points) <= 13


def wait_for_a_day(platform: Platform) -> dict[str, Any]:
    """The answer about a stream of the demonstration once its past is stored."""
    deadline = time.monotonic() + 90
    while True:
        done = platform.run("query", FLEET_STREAM, "--json")
        if done.status == 0:
            answer: dict[str, Any] = json.loads(done.output)
            if answer["statistics"]["count"] >= 86_400:
                return answer
        assert time.monotonic() < deadline, done.errors
        time.sleep(0.5)


def test_a_stopped_platform_ends_its_servers_and_keeps_its_data(directory: Path) -> None:
    data_dir = directory / "kept"
    with running(data_dir) as platform:
        text = "".join(f"{1_769_860_800 + i},{i}\n" for i in range(20_000))
        assert platform.run("ingest", "-", "--stream", "test/kept/value", text=text).status == 0
        assert platform.stop() == 0
    assert commands_that_name(data_dir) == []
    assert platform.run("query", "test/kept/value").status == 3
    with running(data_dir) as platform:
        assert platform.query("test/kept/value")["statistics"]["count"] == 20_000
        assert platform.stop() == 0


def commands_that_name(path: Path) -> list[str]:
    """Command lines of running processes that mention a directory, where the system tells."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(path) in command:
            found.append(command)
    return found
