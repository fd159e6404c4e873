"""Every option of every command: a value it cannot hold is one line with the option's name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from aetherops.cli.application import application
from aetherops.cli.outcome import ExitStatus

WHERE = ("--url", "http://127.0.0.1:1", "--token", "t")
#: Words that only the libraries below use.
FOREIGN = ("Traceback", "pydantic", "GraphQL", "Float", "Int ", "Errno", "Invalid value", "type=")
#: What each command needs to be called at all.
COMMANDS: dict[str, tuple[str, ...]] = {
    "up": ("up",),
    "ingest": ("ingest", "-"),
    "query": ("query", "a/b/c"),
    "streams list": ("streams", "list"),
    "streams set": ("streams", "set", "test/bench/one"),
    "token": ("token",),
    "version": ("version",),
    "migrate": ("migrate",),
    "rejected list": ("rejected", "list"),
    "rejected show": ("rejected", "show", "1"),
    "rejected replay": ("rejected", "replay", "1"),
    "rejected drop": ("rejected", "drop", "1"),
    "workflow list": ("workflow", "list"),
    "workflow show": ("workflow", "show", "w"),
    "workflow history": ("workflow", "history", "w"),
    "workflow diff": ("workflow", "diff", "w", "-1h", "now"),
    "workflow verify": ("workflow", "verify"),
    "workflow create": ("workflow", "create"),
    "workflow start": ("workflow", "start", "burn-campaign"),
    "workflow move": ("workflow", "move", "w", "validated"),
    "workflow complete": ("workflow", "complete", "w"),
    "workflow fail": ("workflow", "fail", "w"),
    "workflow cancel": ("workflow", "cancel", "w"),
    "workflow stage": ("workflow", "stage", "w", "validation"),
    "workflow pause": ("workflow", "pause", "w"),
    "workflow resume": ("workflow", "resume", "w"),
    "workflow assign": ("workflow", "assign", "w", "ann"),
    "workflow ask": ("workflow", "ask", "w", "go"),
    "workflow approve": ("workflow", "approve", "w", "go"),
    "workflow refuse": ("workflow", "refuse", "w", "go"),
    "workflow attach": ("workflow", "attach", "w", "plan", "1"),
    "workflow step start": ("workflow", "step", "start", "w", "ignite"),
    "workflow step complete": ("workflow", "step", "complete", "w", "ignite"),
    "workflow step fail": ("workflow", "step", "fail", "w", "ignite"),
    "workflow timer set": ("workflow", "timer", "set", "w", "window", "+1h"),
    "workflow timer fire": ("workflow", "timer", "fire", "w", "window"),
    "workflow timer cancel": ("workflow", "timer", "cancel", "w", "window"),
    "workflow rebuild": ("workflow", "rebuild"),
    "workflow migrate": ("workflow", "migrate", "FILE"),
}
MAY_BE_EMPTY = {"--missing", "--unit"}


def refused(*arguments: str) -> str:
    """The one line by which a call is refused as bad usage."""
    result = CliRunner().invoke(application, list(arguments))
    assert result.exit_code == ExitStatus.BAD_INPUT, (result.exit_code, result.output)
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("aetherops: ")
    assert not [word for word in FOREIGN if word in line], line
    return line


def commands(group: Any = None, above: str = "") -> Iterator[tuple[str, Any]]:
    """Every command by its name, also those of groups."""
    for name, command in (group or typer.main.get_command(application)).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, f"{above}{name} ")
        else:
            yield f"{above}{name}", command


OPTIONS = [
    (name, parameter.opts[0], parameter.multiple)
    for name, command in commands()
    for parameter in command.params
    if parameter.param_type_name == "option" and not parameter.is_flag
]


def test_the_table_has_every_command() -> None:
    assert {name for name, _ in commands()} == set(COMMANDS)
    assert len(OPTIONS) > 40


@pytest.mark.parametrize(
    ("command", "option"),
    [(name, option) for name, option, _ in OPTIONS if option not in MAY_BE_EMPTY],
)
def test_an_empty_value_is_refused(command: str, option: str) -> None:
    for arguments in ([option, ""], [f"{option}="]):
        line = refused(*COMMANDS[command], *arguments)
        assert line == f"aetherops: {option}: expected a value, got ''"


@pytest.mark.parametrize(
    ("command", "option"), [(name, option) for name, option, repeated in OPTIONS if not repeated]
)
def test_an_option_given_twice_with_different_values_is_refused(command: str, option: str) -> None:
    line = refused(*COMMANDS[command], option, "3", f"{option}=4")
    assert line == f"aetherops: {option}: expected one value, got '3, 4'"


@pytest.mark.parametrize(
    ("command", "option"),
    [("query", "--buckets"), ("query", "--threshold"), ("up", "--port"), ("token", "--lifetime")],
)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1", "x", "9" * 400, "1_0", " ", "0x1"])
def test_a_number_that_it_cannot_be_is_refused(command: str, option: str, value: str) -> None:
    line = refused(*COMMANDS[command], option, value)
    assert line.startswith(f"aetherops: {option}: expected ")
    assert value[:100] in line


@pytest.mark.parametrize("value", ["0", "1", "1000001", "1.5", "1e3"])
def test_buckets_are_a_whole_number_in_range(value: str) -> None:
    line = refused("query", "a/b/c", "--buckets", value, *WHERE)
    assert f"--buckets: expected a whole number from 2 to 1,000,000, got '{value}'" in line


@pytest.mark.parametrize("value", ["0", "x", "1.0", "9223372036854775808"])
@pytest.mark.parametrize("command", ["show", "replay", "drop"])
def test_an_id_is_a_whole_number(command: str, value: str) -> None:
    assert f"got '{value}'" in refused("rejected", command, value, *WHERE)


@pytest.mark.parametrize(
    ("command", "option"),
    [
        ("query", "--function"),
        ("ingest", "--kind"),
        ("streams set", "--kind"),
        ("ingest", "--epoch-unit"),
    ],
)
@pytest.mark.parametrize("value", ["mode", "MEAN", "0", "s "])
def test_an_unknown_choice_is_refused(command: str, option: str, value: str) -> None:
    line = refused(*COMMANDS[command], option, value)
    assert line.startswith(f"aetherops: {option}: expected ")
    assert line.endswith(f" or {line.split(' or ')[-1]}")
    assert f"got '{value}'" in line


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (("--plot", "--csv"), ("--plot", "--csv")),
        (("--json", "--plot"), ("--plot", "--json")),
        (("--json", "--csv"), ("--csv", "--json")),
    ],
)
def test_forms_that_exclude_each_other_are_both_named(
    given: tuple[str, ...], named: tuple[str, str]
) -> None:
    line = refused("query", "a/b/c", *given, *WHERE)
    assert line.startswith(f"aetherops: {named[0]}: ")
    assert f"got '{named[1]} beside it'" in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("ingest", "DIR", "--stream", "a/b/c", *WHERE), "FILE"),
        (("ingest", "-", "--stream", "a/b/c", "--rejects", "DIR", *WHERE), "--rejects"),
        (("query", "a/b/c", "--raw", "--output", "DIR", *WHERE), "--output"),
        (("query", "a/b/c", "--data-dir", "FILE"), "--data-dir"),
        (("streams", "--data-dir", "FILE"), "--data-dir"),
        (("token", "--data-dir", "FILE"), "--data-dir"),
        (("up", "--data-dir", "FILE"), "--data-dir"),
        (("rejected", "list", "--data-dir", "FILE"), "--data-dir"),
        (("ingest", "MISSING", "--stream", "a/b/c", *WHERE), "FILE"),
        (("workflow", "migrate", "DIR", *WHERE), "FILE"),
        (("workflow", "migrate", "MISSING", *WHERE), "FILE"),
        (("workflow", "list", "--data-dir", "FILE"), "--data-dir"),
    ],
)
def test_a_path_of_another_kind_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], named: str
) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    places = {"DIR": str(tmp_path), "FILE": str(file), "MISSING": str(tmp_path / "missing")}
    line = refused(*(places.get(argument, argument) for argument in arguments))
    assert line.startswith(f"aetherops: {named}: expected ")
    assert str(tmp_path) in line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("query", "\udcff"), "STREAM"),
        (("streams", "\udcff"), "PREFIX"),
        (("ingest", "-", "--stream", "a/b/\udcff"), "--stream"),
        (("ingest", "-", "--stream", "a/b/c", "--unit", "\udcff"), "--unit"),
        (("ingest", "-", "--map", "\udcff=a/b/c"), "--map"),
        (("token", "--operator", "\udcff"), "--operator"),
        (("up", "--host", "\udcff"), "--host"),
    ],
)
def test_bytes_that_are_no_text_are_refused(arguments: tuple[str, ...], named: str) -> None:
    assert refused(*arguments).startswith(f"aetherops: {named}: expected text in UTF-8")


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("workflow", "move", "w", "launched"), "STATE"),
        (("workflow", "stage", "w", "created"), "STAGE"),
        (("workflow", "list", "--status", "launched"), "--status"),
        (("workflow", "list", "--as-of", "yesterday"), "--as-of"),
        (("workflow", "list", "--quiet", "2026-01-31T12:00"), "--quiet"),
        (("workflow", "diff", "w", "then", "now"), "T1"),
        (("workflow", "ask", "w", "go", "--until", "soon"), "--until"),
        (("workflow", "create", "--input", "{dv: 3}"), "--input"),
        (("workflow", "attach", "w", "plan", "plan"), "VALUE"),
        (("workflow", "step", "complete", "w", "s", "--result", "ok"), "--result"),
    ],
)
def test_what_a_workflow_command_cannot_use_is_refused(
    arguments: tuple[str, ...], named: str
) -> None:
    line = refused(*arguments, *WHERE)
    assert line.startswith(f"aetherops: {named}: expected ")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "closed.csv"
    file.write_text("x")
    file.chmod(0)
    assert str(file) in refused("ingest", str(file), "--stream", "a/b/c", *WHERE)
