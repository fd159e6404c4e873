"""Processes that are started anew when they have been killed."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Worker"]

_HERE = Path(__file__).resolve().parent.parent
_ROOT = _HERE.parent.parent
_STOP_S = 180.0


@dataclass
class Worker:
    """A writer or a reader in a process of its own; its errors go to a file.

    Parameters
    ----------
    module : what it runs.
    directory : of its files.
    name : of this worker; each process in its place has a number too.
    """

    module: str
    directory: Path
    name: str
    arguments: tuple[str, ...]
    started: int = 0
    _process: asyncio.subprocess.Process | None = field(default=None, init=False)

    @property
    def run_name(self) -> str:
        """Name of the process that runs now."""
        return f"{self.name}-{self.started}"

    async def start(self) -> None:
        """Start a process in this place; ``{run}`` in an argument is its name."""
        self.started += 1
        arguments = [argument.format(run=self.run_name) for argument in self.arguments]
        path = os.pathsep.join([str(_HERE), str(_ROOT)])
        with (self.directory / f"{self.name}.err").open("ab") as errors:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self.module, *arguments),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": path},
            )

    async def kill(self) -> None:
        """End it by SIGKILL."""
        process = self._require_running()
        process.kill()
        await process.wait()

    async def hold_up(self, seconds: float) -> None:
        """Let it stand still so long, as a machine does that is suspended."""
        process = self._require_running()
        process.send_signal(signal.SIGSTOP)
        try:
            await asyncio.sleep(seconds)
        finally:
            process.send_signal(signal.SIGCONT)

    async def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        process = self._require_running()
        assert process.stdout is not None
        async with asyncio.timeout(_STOP_S):
            await process.stdout.readline()  # that it can be asked
            process.send_signal(signal.SIGTERM)
            status = await process.wait()
        if status != 0:
            raise RuntimeError(self._ended(status))

    async def end(self) -> None:
        """End it, however it is."""
        if self._process is not None and self._process.returncode is None:
            await self.kill()

    def _require_running(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        if self._process.returncode is not None:
            raise RuntimeError(self._ended(self._process.returncode))
        return self._process

    def _ended(self, status: int) -> str:
        errors = (self.directory / f"{self.name}.err").read_text(encoding="utf-8")
        return f"{self.run_name} ended by itself with status {status}: {errors[-3000:]}"
