"""The runner of workflows: what it can execute is named by a setting, and imported once."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING

from aetherops.api.metrics.runner import RunnerCollector
from aetherops.errors import InvalidInputError
from aetherops.parts.workflow_runner import WorkflowRunner
from aetherops.services.runner_condition import RunnerCondition
from aetherops.services.workflows.starting import WorkflowStarting
from aetherops.workflow.execution import Registry
from aetherops.workflow.postgres.leases import PostgresLeases

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.api.metrics.registry import Metrics
    from aetherops.connections.postgres import Postgres
    from aetherops.runtime.part import Part
    from aetherops.runtime.settings import Settings
    from aetherops.workflow import EventStore

__all__ = ["Execution", "execution_over", "registry_named"]


@dataclass(frozen=True, slots=True)
class Execution:
    """What begins workflows to execute, and the runner of this process."""

    starting: WorkflowStarting | None
    parts: Mapping[str, Part]


def execution_over(
    postgres: Postgres, store: EventStore, settings: Settings, metrics: Metrics
) -> Execution:
    """Execution of what a setting names.

    Raises
    ------
    InvalidInputError
        Nothing to execute stands there.
    MissingHandlerError
        A step of it has no handler.
    """
    if settings.workflow_registry is None:
        return Execution(None, {})
    registry = registry_named(settings.workflow_registry)
    name = f"{socket.gethostname()}:{os.getpid()}"
    condition = RunnerCondition()
    metrics.registry.register(RunnerCollector(condition))
    lease_s = settings.workflow_lease_s
    leases = PostgresLeases(postgres, name, lease_s)
    runner = WorkflowRunner(
        store,
        leases,
        registry,
        name=name,
        condition=condition,
        at_once=settings.workflows_at_once,
        lease_s=lease_s,
        # Attempts that last longer are handed over before the platform is cut off.
        drain_s=settings.drain_timeout_s / 2,
    )
    starting = WorkflowStarting(store, leases, registry, lambda: datetime.now(UTC))
    return Execution(starting, {"workflow-runner": runner})


def registry_named(place: str) -> Registry:
    """What stands there, and is a `Registry`.

    Parameters
    ----------
    place : ``"package.module:name"``.

    Raises
    ------
    InvalidInputError
        Nothing can be imported from there, or it is something else.
    """
    module, _, name = place.partition(":")
    expected = "package.module:name of a Registry that can be imported"
    try:
        found = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise InvalidInputError("workflow_registry", place, f"{expected} ({error})") from error
    if not isinstance(found, Registry):
        raise InvalidInputError("workflow_registry", place, expected)
    return found
