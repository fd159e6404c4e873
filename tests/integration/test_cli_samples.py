"""Files of every shape in, all samples out, on a running platform that takes small requests."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from aetherops.cli.application import application
from aetherops.instants import parse_us, to_iso

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

AETHEROPS = [sys.executable, "-m", "aetherops.cli"]
NOON = "2026-01-31T12:00:00Z"
NOON_US = parse_us(NOON)


@dataclass(frozen=True)
class Done:
    status: int
    output: str
    errors: str

    def line(self, name: str) -> str:
        """What a report says under a name."""
        lines = [line.split(maxsplit=1) for line in self.output.splitlines()]
        return next((line[1] for line in lines if line[0] == name and len(line) == 2), "")


@dataclass(frozen=True)
class Platform:
    data_dir: Path

    def run(self, *arguments: str, text: str | None = None) -> Done:
        place = ("--data-dir", str(self.data_dir))
        done = CliRunner().invoke(application, [*arguments, *place], input=text)
        return Done(done.exit_code, done.stdout, done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*AETHEROPS, *arguments, "--data-dir", str(self.data_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def samples(self, stream: str, *arguments: str) -> list[tuple[str, float]]:
        done = self.run("query", stream, "--raw", *arguments)
        assert done.status == 0, done.errors
        return [
            (time, float(value)) for time, value in list(csv.reader(done.output.splitlines()))[1:]
        ]

    def record(self, stream: str) -> dict[str, Any] | None:
        found = json.loads(self.run("streams", stream, "--json").output)
        return next((record for record in found if record["name"] == stream), None)


@pytest.fixture(scope="module")
def platform() -> Iterator[Platform]:
    # Not pytest's: its directories are closed to the user that PostgreSQL runs as under root.
    directory = Path(tempfile.mkdtemp(prefix="aetherops-cli-"))
    command = [*AETHEROPS, "up", "--port", "0", "--data-dir", str(directory / "data")]
    environment = {**os.environ, "AETHEROPS_MAX_REQUEST_BYTES": "20000"}
    with (
        (directory / "log").open("w") as log,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=log, text=True, env=environment
        ) as process,
    ):
        try:
            assert process.stdout is not None
            ready = any(line.startswith("Stop") for line in process.stdout)
            assert ready, (directory / "log").read_text()
            yield Platform(directory / "data")
        finally:
            process.terminate()
            process.wait(60)
    shutil.rmtree(directory)


def wait_for(condition: Callable[[], bool], within_s: float = 60.0) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


class TestFiles:
    def test_one_row_in_milliseconds_is_named_and_the_others_keep_their_century(
        self, platform: Platform, tmp_path: Path
    ) -> None:
        path = tmp_path / "units.csv"
        rows = [f"{NOON_US // 10**6 + i},{i}" for i in range(1_000)]
        rows[500] = f"{NOON_US // 10**3 + 500_000},500"
        path.write_text("\n".join(["t,v", *rows]))
        done = platform.run("ingest", str(path), "--stream", "files/units/v")
        assert done.status == 1
        assert f"{path}:502: time in another unit" in done.errors
        assert done.line("stored") == "999"
        assert platform.samples("files/units/v")[0] == (NOON, 0.0)

    LONG = "utc,sat,km\n" + "".join(
        f"2026-01-31T12:00:{i:02}Z,{name},{i + shift}\n"
        for i in range(20)
        for shift, name in ((0, "NOAA 19"), (1_000, "ISS (ZARYA)"))
    )

    def test_rows_at_one_instant_are_told(self, platform: Platform) -> None:
        done = platform.run(
            *("ingest", "-", "--stream", "files/mixed/km", "--value-column", "km"), text=self.LONG
        )
        assert done.status == 0
        assert done.line("repeated") == "20"
        assert "standard input:3: a second row at 2026-01-31T12:00:00Z" in done.errors

    def test_strict_refuses_them_before_anything_is_sent(
        self, platform: Platform, tmp_path: Path
    ) -> None:
        path = tmp_path / "long.csv"
        path.write_text(self.LONG)
        done = platform.run("ingest", str(path), "--stream", "files/strict/km", "--strict")
        assert done.status == 2
        assert f"{path}:3: expected one row of a stream at an instant" in done.errors
        assert platform.record("files/strict/km") is None

    def test_a_column_tells_objects_apart(self, platform: Platform) -> None:
        done = platform.run(
            *("ingest", "-", "--stream", "files/{object}/km", "--split-by", "sat", "--strict"),
            text=self.LONG,
        )
        assert done.status == 0, done.errors
        assert platform.samples("files/NOAA_19/km")[1] == ("2026-01-31T12:00:01Z", 1.0)
        assert platform.samples("files/ISS_ZARYA/km")[1] == ("2026-01-31T12:00:01Z", 1001.0)

    GERMAN = (
        "# Anlage 3\nZeit;Druck;Temperatur\n2026-331T12:00:00,5Z;1,5;20,5\n"
        "2026-331T12:00:01Z;2,5;-9999,9\n2026-331T12:00:02Z;3,5;21,5\n"
    )

    def test_several_columns_go_into_streams_of_their_own(self, platform: Platform) -> None:
        done = platform.run(
            *("ingest", "-", "--map", "Druck=files/de/p [kPa]", "--map", "3=files/de/t [°C]"),
            *("--missing", "-9999.9", "--missing", "n/a"),
            text=self.GERMAN,
        )
        assert done.status == 0, done.errors
        assert done.line("missing") == "1"
        assert platform.samples("files/de/p")[0] == ("2026-11-27T12:00:00.500Z", 1.5)
        assert [value for _, value in platform.samples("files/de/t")] == [20.5, 21.5]
        record = platform.record("files/de/t")
        assert record is not None
        assert (record["unit"], record["count"]) == ("°C", 2)

    def test_all_columns_of_numbers_go_by_their_names(self, platform: Platform) -> None:
        done = platform.run(
            "ingest", "-", "--all-columns", "--stream", "files/all/{column}", text=self.GERMAN
        )
        assert done.status == 0, done.errors
        assert [value for _, value in platform.samples("files/all/Druck")] == [1.5, 2.5, 3.5]
        assert platform.samples("files/all/Temperatur")[1][1] == -9999.9

    def test_an_object_without_a_name_has_its_rows_rejected(
        self, platform: Platform, tmp_path: Path
    ) -> None:
        rejects = tmp_path / "rejects.csv"
        done = platform.run(
            *("ingest", "-", "--stream", "files/{object}/v", "--split-by", "who"),
            *("--rejects", str(rejects)),
            text=f"t,who,v\n{NOON},A B,1\n{NOON},A_B,2\n{NOON},(),3\n",
        )
        assert done.status == 1
        rows = list(csv.DictReader(rejects.read_text().splitlines()))
        assert [(row["line"], row["row"]) for row in rows] == [
            ("3", f"{NOON},A_B,2"),
            ("4", f"{NOON},(),3"),
        ]


class TestRaw:
    def test_more_than_an_answer_holds_comes_whole(
        self, platform: Platform, tmp_path: Path
    ) -> None:
        """Also through requests of 20 kB at most, which the batches follow."""
        path, out = tmp_path / "many.csv", tmp_path / "out.csv"
        path.write_text("".join(f"{NOON_US // 10**6 + i},{i / 8}\n" for i in range(150_000)))
        done = platform.run("ingest", str(path), "--stream", "raw/many/v")
        assert (done.status, done.line("stored")) == (0, "150,000"), done.errors
        assert platform.run("query", "raw/many/v", "--raw", "--output", str(out)).status == 0
        with out.open(newline="") as file:
            rows = list(csv.reader(file))[1:]
        assert [float(value) for _, value in rows] == [i / 8 for i in range(150_000)]
        assert [parse_us(rows[i][0]) for i in (0, -1)] == [NOON_US, NOON_US + 149_999 * 10**6]

    def test_a_range_can_be_said_from_now(self, platform: Platform) -> None:
        now_us = time.time_ns() // 1_000
        text = "".join(f"{to_iso(now_us - s * 10**6)},{s}\n" for s in (7_000, 3_000, 60))
        assert platform.run("ingest", "-", "--stream", "raw/now/v", text=text).status == 0
        recent = platform.samples("raw/now/v", "--start", "-1h", "--end", "now")
        assert [value for _, value in recent] == [3_000.0, 60.0]

    def test_json_is_an_object_a_line(self, platform: Platform) -> None:
        platform.run("ingest", "-", "--stream", "raw/json/v", text=f"{NOON},1.5\n")
        done = platform.run("query", "raw/json/v", "--raw", "--json")
        assert json.loads(done.output) == {"time": NOON, "value": 1.5}

    def test_a_reader_that_leaves_early_is_no_error(self, platform: Platform) -> None:
        text = "".join(f"{NOON_US // 10**6 + i},{i}\n" for i in range(60_000))
        platform.run("ingest", "-", "--stream", "raw/early/v", text=text)
        with platform.start("query", "raw/early/v", "--raw") as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "time,value\n"
            process.stdout.close()
            assert process.wait(60) == 0
            assert process.stderr is not None
            assert process.stderr.read() == ""


class TestStreams:
    def test_they_are_listed_by_prefix(self, platform: Platform) -> None:
        text = f"{NOON},1\n2026-01-31T12:00:01.5Z,0\n"
        options = ("--stream", "list/one/on", "--kind", "state", "--unit", "µA")
        platform.run("ingest", "-", *options, text=text)
        heading, row = platform.run("streams", "list/").output.splitlines()
        assert heading.split() == ["NAME", "UNIT", "KIND", "COUNT", "FIRST", "LAST"]
        assert row.split() == ["list/one/on", "µA", "state", "2", NOON, "2026-01-31T12:00:01.500Z"]

    def test_none_is_said_and_no_error(self, platform: Platform) -> None:
        done = platform.run("streams", "nothing/like/it")
        assert (done.status, done.output) == (0, "")
        assert "nothing/like/it" in done.errors


class TestWhatIsSaidOfAStream:
    FILE = f"{NOON},1\n2026-01-31T12:00:01Z,0\n"

    def said(self, platform: Platform, stream: str) -> tuple[str, str]:
        record = platform.record(stream)
        assert record is not None
        return record["unit"], record["kind"]

    def test_a_file_without_unit_and_kind_changes_nothing(self, platform: Platform) -> None:
        stream = "said/valve/on"
        options = ("--kind", "state", "--unit", "kPa")
        platform.run("ingest", "-", "--stream", stream, *options, text=self.FILE)
        again = platform.run("ingest", "-", "--stream", stream, text=f"{NOON},3\n")

        assert (again.status, again.line("corrected")) == (0, "1")
        assert self.said(platform, stream) == ("kPa", "state")

    @pytest.mark.parametrize(
        ("option", "given", "told"),
        [
            ("--unit", "psi", "the unit 'kPa', got 'psi'"),
            ("--kind", "gauge", "the kind 'state', got 'gauge'"),
        ],
    )
    def test_another_one_is_refused_until_it_is_changed_on_purpose(
        self, platform: Platform, option: str, given: str, told: str
    ) -> None:
        stream = f"said/valve{option.replace('-', '')}/on"
        options = ("--kind", "state", "--unit", "kPa")
        platform.run("ingest", "-", "--stream", stream, *options, text=self.FILE)

        late = "2026-01-31T13:00:00Z,1\n"
        refused = platform.run("ingest", "-", "--stream", stream, option, given, text=late)
        assert refused.status == 2
        assert refused.errors.splitlines()[-1].startswith(f"aetherops: {stream} has {told}: ")
        command = f"aetherops streams set {stream} {option} {given}"
        assert f"`{command}`" in refused.errors
        assert len(platform.samples(stream)) == 2

        changed = platform.run(*command.split()[1:])
        unit, kind = (given, "state") if option == "--unit" else ("kPa", given)
        assert (changed.status, changed.output) == (0, f"{stream}: {unit}, {kind}\n")
        again = platform.run("ingest", "-", "--stream", stream, option, given, text=late)
        assert (again.status, again.line("stored")) == (0, "1")
        assert self.said(platform, stream) == (unit, kind)

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("said/valve/on",), "--unit, --kind: expected one of them, or both"),
            (("said/valve/no", "--unit", "m"), "no stream is named 'said/valve/no'"),
            (("said/valve/no", "--unit", "m" * 33), "unit: expected at most 32"),
            (("said/valve", "--unit", "m"), "stream: expected service/source/parameter"),
        ],
    )
    def test_a_change_that_makes_no_sense_is_told(
        self, platform: Platform, arguments: tuple[str, ...], told: str
    ) -> None:
        done = platform.run("streams", "set", *arguments)
        assert (done.status, done.output) == (2, "")
        assert done.errors.startswith(f"aetherops: {told}")


class TestLiveInput:
    def test_what_came_is_stored_while_the_writer_pauses(self, platform: Platform) -> None:
        with platform.start("ingest", "-", "--stream", "live/pipe/v") as process:
            assert process.stdin is not None
            for second in range(2):
                process.stdin.write(f"2026-01-31T12:00:0{second}Z,{second}\n")
                process.stdin.flush()
                wait_for(lambda: (platform.record("live/pipe/v") or {}).get("count") == second + 1)  # noqa: B023
            output, errors = process.communicate(timeout=60)
            assert (process.returncode, errors) == (0, "")
            assert "rows read   2" in output

    def test_ctrl_c_settles_what_came_and_leaves_the_line_under_way(
        self, platform: Platform
    ) -> None:
        with platform.start("ingest", "-", "--stream", "live/ended/v") as process:
            assert process.stdin is not None
            process.stdin.write(f"utc,v\n{NOON},1\n")
            process.stdin.flush()
            wait_for(lambda: platform.record("live/ended/v") is not None)
            process.stdin.write("2026-01-31T12:00:01Z,2\n2026-01-31T12:00:02Z,3")
            process.stdin.flush()
            time.sleep(0.3)
            process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
            assert process.stdout is not None
            assert "stored      2" in process.stdout.read()
            assert platform.samples("live/ended/v") == [(NOON, 1.0), ("2026-01-31T12:00:01Z", 2.0)]

    def test_a_second_ctrl_c_ends_at_once_and_without_a_traceback(self, platform: Platform) -> None:
        with platform.start("ingest", "-", "--stream", "live/twice/v") as process:
            assert process.stdin is not None
            process.stdin.write(f"utc,v\n{NOON},1\n")
            process.stdin.flush()
            wait_for(lambda: platform.record("live/twice/v") is not None)
            for _ in range(2):
                process.send_signal(signal.SIGINT)
            assert process.wait(60) == 130
            assert process.stderr is not None
            assert len(process.stderr.read().splitlines()) <= 1
