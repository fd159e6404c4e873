"""Commands from the outside: usage, one-line errors, exit statuses."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.main import get_command
from typer.testing import CliRunner

import aetherops
from aetherops.cli.application import application
from aetherops.cli.connection import find_connection
from aetherops.cli.outcome import ExitStatus, reported_errors
from aetherops.cli.up import announcement
from aetherops.core import IMPLEMENTATION
from aetherops.errors import InvalidInputError
from aetherops.identity.keys import load_or_create_key
from aetherops.identity.tokens import TokenVerifier
from aetherops.runtime.data_dir.instance import Instance, NotRunningError

runner = CliRunner()
CSV = "utc,value\n2026-01-31T12:00:00Z,1\n"


@pytest.fixture(autouse=True)
def no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AETHEROPS_TOKEN", raising=False)


def run(*arguments: str) -> tuple[int, str, str]:
    result = runner.invoke(application, list(arguments))
    return result.exit_code, result.stdout, result.stderr


def test_version_names_the_kernels() -> None:
    status, output, _ = run("version")
    assert status == ExitStatus.DONE
    assert aetherops.__version__ in output
    assert f"{IMPLEMENTATION} kernels" in output


@pytest.mark.parametrize("command", ["up", "ingest", "query", "migrate", "token", "version"])
def test_every_command_explains_itself(command: str) -> None:
    status, output, _ = run(command, "--help")
    assert status == ExitStatus.DONE
    assert f"{command} [OPTIONS]" in output


def test_a_help_text_loses_nothing_in_brackets() -> None:
    status, output, _ = run("ingest", "--help")
    assert status == ExitStatus.DONE
    assert "'speed=noaa/rtsw/speed [km/s]'" in " ".join(output.split())


def test_an_error_lets_nothing_through_that_moves_the_cursor(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(typer.Exit), reported_errors():
        raise InvalidInputError("--value-column", "none", "one of \x1b[2Jevil\x07")
    assert capsys.readouterr().err.endswith(r"one of \x1b[2Jevil\x07, got 'none'" + "\n")


def test_help_and_version_import_nothing_heavy() -> None:
    code = (
        "import sys; from aetherops.cli.application import application as run\n"
        "try: run(['version'])\n"
        "except SystemExit: pass\n"
        "print({'numpy', 'httpx', 'pydantic_settings', 'starlette', 'sgp4'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "set()"


def test_a_start_imports_nothing_that_only_some_settings_need() -> None:
    code = (
        "import sys, aetherops.bootstrap\n"
        "print({'httpx', 'sgp4', 'aetherops.demo'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "set()"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--stream", "two/parts"], "--stream"),
        (["--stream", "a/b/c", "--timezone", "Mars/Olympus"], "--timezone"),
        (["--stream", "a/b/c", "--kind", "sound"], "--kind"),
        (["--stream", "a/b/c", "--unit", "x" * 40], "unit"),
        (["--stream", "a/b/c", "--url", "ftp://x", "--token", "t"], "--url"),
        (["--stream", "a/b/c", "--url", "http://x:99999", "--token", "t"], "--url"),
        (["--stream", "a/b/c", "--url", "http://127.0.0.1:1"], "--token"),
        (["--stream", "a/b/c", "--url", "http://127.0.0.1:1", "--token", "tö ken"], "--token"),
        ([], "--stream"),
    ],
)
def test_bad_options_of_ingest_are_refused(tmp_path: Path, arguments: list[str], word: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(CSV)
    status, _, errors = run("ingest", str(path), *arguments)
    assert status == ExitStatus.BAD_INPUT
    assert word in errors


@pytest.mark.parametrize(
    ("content", "word"),
    [
        ("", "empty"),
        ("utc,value\n", "rows after the header"),
        ("utc,a,b\n2026-01-31T12:00:00Z,1,2\n", "--value-column"),
        ("a,b\n1,2\n", "--time-column"),
    ],
)
def test_files_that_are_of_no_use_are_refused(tmp_path: Path, content: str, word: str) -> None:
    path = tmp_path / "file.csv"
    path.write_text(content)
    status, _, errors = run(
        "ingest", str(path), "--stream", "a/b/c", "--url", "http://127.0.0.1:1", "--token", "t"
    )
    assert status == ExitStatus.BAD_INPUT
    assert word in errors
    assert str(path) in errors
    assert len(errors.splitlines()) == 1


def test_a_server_that_is_not_there_has_its_own_status(tmp_path: Path) -> None:
    path = tmp_path / "file.csv"
    path.write_text(CSV)
    where = ("--url", "http://127.0.0.1:1", "--token", "t")
    for arguments in (
        ("ingest", str(path), "--stream", "a/b/c", *where),
        ("query", "a/b/c", *where),
        ("query", "a/b/c", "--data-dir", str(tmp_path / "nothing")),
    ):
        status, _, errors = run(*arguments)
        assert status == ExitStatus.NO_SERVER
        assert len(errors.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "--csv"],
        ["--start", "2026-01-31T12:00:00"],
        ["--end", "yesterday"],
        ["--buckets", "1"],
        ["--function", "mode"],
    ],
)
def test_bad_options_of_query_are_refused(arguments: list[str]) -> None:
    status, _, errors = run(
        "query", "a/b/c", "--url", "http://127.0.0.1:1", "--token", "t", *arguments
    )
    assert status == ExitStatus.BAD_INPUT
    assert errors


def test_a_minted_token_is_one_that_the_instance_accepts(tmp_path: Path) -> None:
    load_or_create_key(tmp_path / "keys")
    status, output, _ = run(
        "token", "--data-dir", str(tmp_path), "--operator", "ada", "--roles", "engineer, Pilot"
    )
    assert status == ExitStatus.DONE
    verifier = TokenVerifier([load_or_create_key(tmp_path / "keys").verifying_key])
    operator = verifier.verify(output.strip())
    assert operator.operator_id == "ada"
    assert operator.roles == {"engineer", "pilot"}


@pytest.mark.parametrize(
    "arguments", [["--lifetime", "0h"], ["--lifetime", "soon"], ["--roles", ","]]
)
def test_tokens_of_no_use_are_not_minted(tmp_path: Path, arguments: list[str]) -> None:
    status, output, errors = run("token", "--data-dir", str(tmp_path), *arguments)
    assert status == ExitStatus.BAD_INPUT
    assert output == ""
    assert arguments[0] in errors


def test_a_setting_that_cannot_be_is_told_by_the_name_of_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AETHEROPS_LIMITS__REPLICAS", "abc")
    status, _, errors = run("token", "--data-dir", str(tmp_path))
    assert status == ExitStatus.BAD_INPUT
    assert errors == ("aetherops: AETHEROPS_LIMITS__REPLICAS: expected a whole number, got 'abc'\n")


class TestConnection:
    def test_an_address_and_a_directory_contradict_each_other(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInputError, match="one of"):
            find_connection(tmp_path, "http://127.0.0.1:8080", "token")

    def test_a_token_is_no_part_of_what_is_shown(self) -> None:
        connection = find_connection(None, "http://127.0.0.1:8080/", "secret")
        assert connection.url == "http://127.0.0.1:8080"
        assert "secret" not in repr(connection)

    def test_nothing_runs_in_an_empty_directory(self, tmp_path: Path) -> None:
        with pytest.raises(NotRunningError, match="aetherops up"):
            find_connection(tmp_path, None, None)


class TestAnnouncement:
    def test_it_tells_where_and_how_to_ask(self, tmp_path: Path) -> None:
        instance = Instance("http://127.0.0.1:8080", "t0ken", 1)
        told = dict(announcement(instance, tmp_path, demo=True))
        assert told["Explorer"] == "http://127.0.0.1:8080/graphql#token=t0ken"
        assert told["Token"] == "t0ken"
        assert told["Ask"].startswith("aetherops query orbit/")
        assert f"--data-dir {tmp_path}" in told["Ask"]
        assert told["GraphQL"].startswith("{ telemetry(")

    def test_a_log_does_not_get_the_token_and_is_told_where_it_is(self, tmp_path: Path) -> None:
        instance = Instance("http://127.0.0.1:8080", "t0ken", 1)
        lines = announcement(instance, tmp_path, demo=True, show_token=False)
        assert "t0ken" not in repr(lines)
        assert dict(lines)["Token"] == f"kept in {tmp_path / 'instance.json'}, for its owner"
        assert dict(lines)["Explorer"] == "http://127.0.0.1:8080/graphql"


@pytest.mark.parametrize(
    "command",
    [
        ("token",),
        ("query", "a/b/c"),
        ("streams",),
        ("ingest", "-", "--stream", "a/b/c"),
        ("rejected", "list"),
        ("rejected", "show", "1"),
        ("rejected", "replay", "1"),
        ("rejected", "drop", "1"),
    ],
)
def test_a_mistyped_directory_is_refused_and_not_made(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    typo = tmp_path / "typo"
    status, output, errors = run(*command, "--data-dir", str(typo))
    assert status in (ExitStatus.BAD_INPUT, ExitStatus.NO_SERVER)
    assert output == ""
    (line,) = errors.splitlines()
    assert str(typo) in line
    assert "aetherops up" in line
    assert list(tmp_path.iterdir()) == []


ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("page", "listing"),
    [
        ("docs/cli.md", r"# The command line\n\n```\n(.*?)```"),
        ("docs/architecture.md", r"\ncli +commands: (.*?)\n"),
    ],
)
def test_every_command_is_listed_on_the_pages_that_list_them(page: str, listing: str) -> None:
    (listed,) = re.findall(listing, (ROOT / page).read_text(encoding="utf-8"), re.DOTALL)
    names = set(re.findall(r"[a-z]+", listed))
    assert set(get_command(application).commands) <= names  # type: ignore[attr-defined]


def test_the_package_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aetherops", "version"],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith(f"aetherops {aetherops.__version__} (")


def test_a_missing_library_is_one_line_that_names_what_to_install() -> None:
    code = "import sys; sys.modules['typer'] = None; from aetherops.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert re.fullmatch(
        r"aetherops: .* needs typer: pip install 'aetherops\[server,embedded\]' .*\n", done.stderr
    )
