"""The workflow that runners of a history execute, and what they note of its effects."""

from __future__ import annotations

import asyncio
import os
import random
import time
from pathlib import Path

from aetherops.workflow.execution import (
    Delay,
    Registry,
    Retries,
    StepContext,
    Task,
    WorkflowDefinition,
)

__all__ = ["LEASE_S", "STEPS", "Effects", "registry_with"]

LEASE_S = 0.8
#: Of every workflow that is executed, those that have an effect.
STEPS = ("plan", "left", "right", "close")
_DEFINITION = WorkflowDefinition(
    "chaos",
    1,
    [
        Task(name="plan", handler="async"),
        Task(name="left", after=["plan"], handler="thread"),
        Task(name="right", after=["plan"], handler="async", retries=Retries(50, first_s=0.05)),
        Delay(name="wait", after=["left", "right"], wait_s=0.7),
        Task(name="close", after=["wait"], handler="thread"),
    ],
)


class Effects:
    """A file that a runner notes each effect down in before its handler returns."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def note(self, context: StepContext) -> None:
        """Write one line, whole."""
        line = f"{context.workflow_id} {context.step} {context.attempt} {context.epoch}\n"
        os.write(self._file, line.encode())


def registry_with(effects: Effects, chance: random.Random) -> Registry:
    """What runners execute; some attempts at ``right`` fail."""
    registry = Registry()
    registry.add(_DEFINITION)

    @registry.handler("async")
    async def in_the_loop(context: StepContext) -> int:
        await asyncio.sleep(chance.uniform(0, 0.15))
        if context.step == "right" and chance.random() < 0.2:
            raise ConnectionError("by chance")
        effects.note(context)
        return context.attempt

    @registry.handler("thread")
    def in_a_thread(context: StepContext) -> int:
        time.sleep(chance.uniform(0, 0.15))
        effects.note(context)
        return context.attempt

    return registry
