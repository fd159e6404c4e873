"""`aetherops up` as a process of its own, and commands run on it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from aetherops.cli.application import application

__all__ = ["AETHEROPS", "Done", "Platform", "environment", "run", "running"]

AETHEROPS = [sys.executable, "-m", "aetherops.cli"]


def environment() -> dict[str, str]:
    """This process's, without settings that would point the commands elsewhere."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AETHEROPS_")}


@dataclass(frozen=True)
class Done:
    status: int
    output: str
    errors: str

    @property
    def counts(self) -> dict[str, int]:
        """The numbers of an ingest report."""
        pairs = [line.rsplit(maxsplit=1) for line in self.output.splitlines()]
        return {
            pair[0].strip(): int(pair[1].replace(",", ""))
            for pair in pairs
            if len(pair) == 2 and pair[1].replace(",", "").isdecimal()
        }


def run(*arguments: str, text: str | None = None) -> Done:
    """Run a command in a process of its own."""
    done = subprocess.run(
        [*AETHEROPS, *arguments],
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
        env=environment(),
        input=text,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Platform:
    process: subprocess.Popen[str]
    data_dir: Path
    told: Mapping[str, str]

    @property
    def url(self) -> str:
        return self.told["Explorer"].split("/graphql")[0]

    def run(self, command: str, *arguments: str, text: str | None = None) -> Done:
        """Run a command on this platform, in this process: a start of Python each is dear."""
        done = CliRunner().invoke(
            application,
            [command, *arguments, "--data-dir", str(self.data_dir)],
            input=text,
            env={name: None for name in os.environ if name.startswith("AETHEROPS_")},
        )
        return Done(done.exit_code, done.stdout, done.stderr)

    def query(self, stream: str, *arguments: str) -> dict[str, Any]:
        done = self.run("query", stream, "--json", *arguments)
        assert done.status == 0, done.errors
        answer: dict[str, Any] = json.loads(done.output)
        return answer

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def running(data_dir: Path, *options: str, **variables: str) -> Iterator[Platform]:
    """`aetherops up` on a free port; the block begins once it is ready."""
    with (data_dir.parent / f"{data_dir.name}.log").open("w") as log:
        process = subprocess.Popen(
            [*AETHEROPS, "up", "--port", "0", "--data-dir", str(data_dir), *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment() | variables,
        )
        assert process.stdout is not None
        try:
            told = {}
            for line in process.stdout:
                title, text = line.split(maxsplit=1)
                told[title] = text.strip()
                if title == "Stop":
                    break
            assert "Stop" in told, Path(log.name).read_text()
            yield Platform(process, data_dir, told)
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            finally:
                process.stdout.close()
