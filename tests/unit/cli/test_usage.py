"""How commands were called: faults are one line with status 2, whatever their kind."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

import aetherops
from aetherops.cli.application import application
from aetherops.cli.outcome import ExitStatus

runner = CliRunner()
AETHEROPS = [sys.executable, "-m", "aetherops.cli"]
WHERE = ("--url", "http://127.0.0.1:1", "--token", "t")
CSV = "utc,who,a,b\n2026-01-31T12:00:00Z,x,1,2\n2026-01-31T12:00:00Z,y,3,4\n"


def run(*arguments: str) -> tuple[int, str, str]:
    result = runner.invoke(application, list(arguments))
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "file.csv"
    path.write_text(CSV)
    return str(path)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["frobnicate"], "frobnicate"),
        (["query"], "stream"),
        (["query", "a/b/c", "d"], "argument"),
        (["query", "a/b/c", "--nope"], "--nope"),
        (["query", "a/b/c", "--start"], "--start"),
        (["query", "a/b/c", "--buckets", "many"], "--buckets"),
        (["query", "a/b/c", "--buckets", "1"], "--buckets"),
        (["query", "a/b/c", "--threshold", "x"], "--threshold"),
        (["query", "a/b/c", "--function", "mode"], "--function"),
        (["query", "a/b/c", "--start", "2026-01-31T12:00:00"], "--start"),
        (["query", "a/b/c", "--raw", "--plot"], "--plot"),
        (["query", "a/b/c", "--raw", "--function", "max"], "--function"),
        (["query", "a/b/c", "--output", "x.csv"], "--output"),
        (["query", "a/b/c", "--raw", "--output", "x.txt"], "--output"),
        (["query", "a/b/c", "--raw", "--json", "--output", "x.parquet"], "--output"),
        (["ingest"], "file"),
        (["up", "--port", "99999999"], "--port"),
        (["streams", "a", "b"], "argument"),
    ],
)
def test_a_usage_error_is_one_line(arguments: list[str], word: str) -> None:
    status, output, errors = run(*arguments)
    assert (status, output) == (ExitStatus.BAD_INPUT, "")
    (line,) = errors.splitlines()
    assert line.startswith("aetherops: ")
    assert word in line


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ([], "--stream"),
        (["--stream", "a/b/c", "--map", "a=a/b/c"], "--map"),
        (["--map", "a"], "--map"),
        (["--map", "a=b"], "--map"),
        (["--map", "a=x/y/a", "--map", "a=x/y/b"], "--map"),
        (["--map", "a=x/y/z", "--map", "b=x/y/z"], "--map"),
        (["--map", "c=x/y/z"], "--map"),
        (["--map", "a=x/y/z [" + "u" * 40 + "]"], "unit"),
        (["--stream", "a/b/c", "--all-columns"], "--stream"),
        (["--stream", "a/b/{column}", "--all-columns", "--value-column", "a"], "--value-column"),
        (["--stream", "a/b/c", "--value-column", "a", "--split-by", "who"], "--stream"),
        (["--stream", "a/{object}/c", "--value-column", "a"], "--stream"),
        (["--stream", "a/{object}/c", "--value-column", "a", "--split-by", "a"], "--split-by"),
        (["--stream", "a/b/c", "--value-column", "a", "--strict"], "--split-by"),
    ],
)
def test_options_of_ingest_that_contradict_are_refused_before_anything_is_sent(
    file: str, arguments: list[str], word: str
) -> None:
    status, _, errors = run("ingest", file, *arguments, *WHERE)
    assert status == ExitStatus.BAD_INPUT
    (line,) = errors.splitlines()
    assert word in line


def test_a_date_says_that_it_is_a_midnight_in_utc() -> None:
    _, _, errors = run("query", "a/b/c", "--start", "2026-11-27", *WHERE)
    assert "--start 2026-11-27 is 2026-11-27T00:00:00Z" in errors


def test_the_version_is_an_option_too() -> None:
    status, output, _ = run("--version")
    assert status == ExitStatus.DONE
    assert output == run("version")[1]
    assert aetherops.__version__ in output


def test_no_command_is_answered_with_the_help() -> None:
    status, output, _ = run()
    assert status == ExitStatus.BAD_INPUT
    assert "ingest" in output


def test_a_question_needs_no_numpy() -> None:
    """It would take longer to load than the answer to come."""
    code = (
        "import sys; from aetherops.cli.application import application as run\n"
        "where = ['--url', 'http://127.0.0.1:1', '--token', 't']\n"
        "try: run(['query', 'a/b/c', '--start', '-1h', *where])\n"
        "except SystemExit: pass\n"
        "print('numpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"


class TestEncodings:
    """In processes of their own: the encoding is that of standard output."""

    def run(self, encoding: str, code: str) -> subprocess.CompletedProcess[bytes]:
        environment = {**os.environ, "PYTHONIOENCODING": encoding}
        return subprocess.run(
            [sys.executable, "-c", code], check=False, capture_output=True, env=environment
        )

    PLOT = (
        "import sys; from aetherops.cli.application import application as run\n"
        "run(['query', 'a/b/c', '--plot', '--url', 'http://127.0.0.1:1', '--token', 't'])"
    )
    PRINT = (
        "from aetherops.cli.output import write_what_can_be_written as prepare\n"
        "prepare(); print('µV \\udcff ⣿')"
    )

    def test_a_plot_that_cannot_be_written_is_refused_in_one_line(self) -> None:
        done = self.run("latin-1", self.PLOT)
        assert done.returncode == ExitStatus.BAD_INPUT
        (line,) = done.stderr.splitlines()
        assert b"--plot" in line

    @pytest.mark.parametrize(
        ("encoding", "text"),
        [
            ("ascii", "µV \\udcff ⣿".encode()),
            ("utf-8", "µV \\udcff ⣿".encode()),
            ("latin-1", b"\xb5V \\udcff \\u28ff"),
        ],
    )
    def test_what_an_encoding_lacks_is_escaped(self, encoding: str, text: bytes) -> None:
        done = self.run(encoding, self.PRINT)
        assert (done.returncode, done.stdout.rstrip()) == (0, text)


@pytest.mark.parametrize("times", [1, 2, 3])
def test_ctrl_c_at_any_time_ends_a_command_without_a_word(times: int) -> None:
    with subprocess.Popen(
        [*AETHEROPS, "ingest", "-", "--stream", "a/b/c", *WHERE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"utc")
        process.stdin.flush()
        wait_until_read(process.stdin.fileno())
        for _ in range(times):
            process.send_signal(signal.SIGINT)
            time.sleep(0.02)
        output, errors = process.communicate(timeout=30)
    assert process.returncode == ExitStatus.INTERRUPTED
    assert (output, errors) == (b"", b"")


def wait_until_read(pipe: int) -> None:
    """Until what was written into a pipe has left it: its reader is at work."""
    unread = b"...."
    while int.from_bytes(unread, sys.byteorder):
        time.sleep(0.02)
        unread = fcntl.ioctl(pipe, termios.FIONREAD, b"....")
