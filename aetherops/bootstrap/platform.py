"""An instance of the platform, from its start to its end."""

from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from aetherops import __version__
from aetherops.api.metrics.registry import Metrics
from aetherops.bootstrap.breakers import breakers_of, report_parts
from aetherops.bootstrap.connections import connected
from aetherops.bootstrap.http import Capabilities, http_parts, url_of
from aetherops.bootstrap.identity import identity_of, issue_token
from aetherops.bootstrap.limits import limits_kept
from aetherops.bootstrap.schema import ensure_schema
from aetherops.bootstrap.telemetry import telemetry_over
from aetherops.bootstrap.workflow import workflows_over
from aetherops.core import IMPLEMENTATION, instruction_set
from aetherops.parts.memory_return import MemoryReturn
from aetherops.runtime.data_dir.instance import (
    Instance,
    own_instance,
    remove_instance,
    write_instance,
)
from aetherops.runtime.embedded import running_servers
from aetherops.runtime.http.server import listening_socket
from aetherops.runtime.memory import return_freed_memory, spare_what_stays
from aetherops.runtime.settings_reading import mistyped_variables, told_by_variable
from aetherops.runtime.supervision import StopRequest, stop_on_signals, supervise
from aetherops.runtime.unforeseen import catch_lost_errors

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from aetherops.runtime.part import Part
    from aetherops.runtime.settings import Settings

__all__ = ["serve"]

_log = structlog.get_logger(__name__)


async def serve(
    settings: Settings, *, demo: bool = False, ready: Callable[[Instance], None]
) -> None:
    """Run the whole platform until SIGINT or SIGTERM, then drain and end it.

    Parameters
    ----------
    demo : also ingest the demonstration fleet's telemetry.
    ready : called once requests are answered, with where and by which token.

    Raises
    ------
    AddressInUseError, AlreadyRunningError, UnavailableError, InvalidInputError
        The platform cannot start as it is set.
    """
    return_freed_memory()
    request = StopRequest()
    catch_lost_errors(asyncio.get_running_loop())
    async with AsyncExitStack() as stack:
        stack.enter_context(told_by_variable())
        stack.enter_context(stop_on_signals(request))
        stack.enter_context(own_instance(settings.data_dir))
        bound = stack.enter_context(listening_socket(settings.host, settings.port))
        _log.info(
            "start_begun", version=__version__, kernels=IMPLEMENTATION, simd=instruction_set()
        )
        for variable, meant in mistyped_variables().items():
            _log.warning("variable_ignored", variable=variable, setting=meant)
        capabilities = await stack.enter_async_context(_assembled(settings))
        parts = _background_parts(capabilities) | http_parts(capabilities, settings, bound)
        if demo:
            from aetherops.bootstrap.demo import demo_parts

            parts |= demo_parts(capabilities.telemetry.intake)
        token = issue_token(capabilities.identity.key, settings.token_lifetime_s)
        instance = Instance(url=url_of(bound), token=token, pid=os.getpid())
        write_instance(settings.data_dir, instance)
        stack.callback(remove_instance, settings.data_dir)
        # The socket listens already: whoever reads this is answered as soon as parts run.
        spare_what_stays()
        ready(instance)
        _log.info("instance_started", url=instance.url)
        await supervise(parts, request, settings.drain_timeout_s)
        _log.info("parts_stopped")
    _log.info("instance_stopped")


@asynccontextmanager
async def _assembled(settings: Settings) -> AsyncIterator[Capabilities]:
    """Servers, connections, and what is built over them; ended in the opposite order."""
    breakers, metrics = breakers_of(settings), Metrics()
    async with (
        running_servers(settings) as endpoints,
        connected(endpoints, settings, breakers) as connections,
    ):
        await ensure_schema(endpoints, connections.postgres)
        telemetry = await telemetry_over(connections, settings)
        workflow = await workflows_over(connections, settings, metrics)
        identity = identity_of(settings, breakers)
        async with limits_kept(settings, connections.redis, telemetry.intake, metrics) as limits:
            yield Capabilities(
                connections, breakers, telemetry, workflow, identity, limits, metrics
            )


def _background_parts(capabilities: Capabilities) -> dict[str, Part]:
    """Everything that runs beside requests. Parts stop from the last to the first of all."""
    reports = report_parts(
        capabilities.breakers, capabilities.telemetry.intake, capabilities.connections.nats
    )
    return {
        "memory-return": MemoryReturn(),
        **capabilities.telemetry.parts,
        **capabilities.workflow.parts,
        **capabilities.identity.parts,
        **reports,
        **capabilities.limits.parts,
    }
