"""Embedded servers kept running: started anew when they have ended, and when they hang."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

import structlog

from aetherops.errors import AetherOpsError
from aetherops.resilience import Retry
from aetherops.runtime.embedded.child import ServerStartError
from aetherops.runtime.repeats import Repeats
from aetherops.runtime.unforeseen import keep_going

__all__ = ["EmbeddedServer", "keep_running", "start"]

_RESTART_AFTER_S = 0.1
#: Less and less eagerly while a server does not come up, and for ever: what needs it waits too.
_RESTART = Retry(attempts=None, base_ms=200, cap_ms=10_000, jitter=0.0, on=(AetherOpsError,))

_PROBE_EVERY_S = 5.0
_PROBE_LIMIT_S = 5.0
#: A busy machine, or one that slept, may make one probe fail or two; not this many in a row.
_PROBES_UNTIL_HUNG = 4

_log = structlog.get_logger(__name__)


class EmbeddedServer(Protocol):
    """What the three have in common."""

    name: str

    async def start(self) -> str:
        """Start, and return the address once clients are answered: the same at every start."""

    async def ended(self) -> int:
        """Return the exit status once the server has ended."""

    async def lives(self) -> bool:
        """Whether it answers a real question as a client asks it; may take for ever."""

    async def kill(self) -> None:
        """End it at once, however it is; harmless where it does not run."""

    async def stop(self) -> None:
        """End cleanly; harmless where it does not run."""


async def start(server: EmbeddedServer) -> str:
    """Start a server; a file that cannot be written becomes our error."""
    try:
        return await server.start()
    except OSError as error:
        raise ServerStartError(server.name, str(error)) from error


async def keep_running(server: EmbeddedServer, prepare: Callable[[], None]) -> None:
    """Start a server that was started once anew whenever it is lost, until cancelled.

    Parameters
    ----------
    prepare : called before each start.
    """
    await keep_going(f"{server.name}-watch", lambda: _watch(server, prepare))


async def _watch(server: EmbeddedServer, prepare: Callable[[], None]) -> None:
    while True:
        await _until_lost(server)
        await asyncio.sleep(_RESTART_AFTER_S)
        repeats = Repeats()
        await _RESTART.call_async(_restart, server, prepare, repeats)
        if failures := repeats.forget(server.name):
            _log.warning("server_restarted", server=server.name, failures=failures)


async def _until_lost(server: EmbeddedServer) -> None:
    """Return once the server has ended, or hung and been killed; in the log it is told which."""
    ended = asyncio.create_task(server.ended(), name=f"{server.name}-ended")
    silent = asyncio.create_task(_until_silent(server), name=f"{server.name}-probe")
    try:
        await asyncio.wait([ended, silent], return_when=asyncio.FIRST_COMPLETED)
        if ended.done():
            _log.error(
                "server_ended",
                server=server.name,
                status=ended.result(),
                restart_s=_RESTART_AFTER_S,
            )
            return
        silent.result()  # raises what nobody foresaw
        _log.error(
            "server_stalled", server=server.name, probes=_PROBES_UNTIL_HUNG, limit_s=_PROBE_LIMIT_S
        )
        await server.kill()
    finally:
        for task in (ended, silent):
            task.cancel()
        await asyncio.gather(ended, silent, return_exceptions=True)


async def _until_silent(server: EmbeddedServer) -> None:
    """Return once so many probes in a row were not answered in time."""
    failed = 0
    while failed < _PROBES_UNTIL_HUNG:
        await asyncio.sleep(_PROBE_EVERY_S)
        failed = 0 if await _answers_in_time(server) else failed + 1


async def _answers_in_time(server: EmbeddedServer) -> bool:
    try:
        async with asyncio.timeout(_PROBE_LIMIT_S):
            return await server.lives()
    except (OSError, AetherOpsError):  # a time that is over is an `OSError` too
        return False


async def _restart(server: EmbeddedServer, prepare: Callable[[], None], repeats: Repeats) -> None:
    try:
        prepare()
        await start(server)
    except Exception as error:
        failures = repeats.count(server.name)
        if Repeats.is_told(failures):
            _log.error(
                "server_not_restarted", server=server.name, reason=str(error), failures=failures
            )
        await server.kill()
        raise
