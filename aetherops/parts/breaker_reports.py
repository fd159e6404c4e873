"""What circuit breakers do, told to people and programs: logs, telemetry and NATS."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from typing import TYPE_CHECKING
from uuid import uuid4

import structlog

from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.stream import Stream, StreamName
from aetherops.errors import UnavailableError
from aetherops.resilience import State
from aetherops.runtime.part import Part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from aetherops.archive.intake import BatchQueue
    from aetherops.events import EventBus
    from aetherops.resilience import BreakerRegistry, TransitionEvent

__all__ = ["STATE_VALUES", "BreakerReports"]

_log = structlog.get_logger(__name__)

#: Values of the stream ``resilience/<breaker>/state``.
STATE_VALUES: Mapping[State, float] = {State.CLOSED: 0.0, State.HALF_OPEN: 1.0, State.OPEN: 2.0}

_MAX_WAITING = 1_000
_RETRY_S = 0.5


class BreakerReports(Part):
    """A part of an instance that hears every transition and passes it on.

    A transition is logged at once, that of a probe at the level debug. As telemetry and as an event
    it waits for its turn, and for the queue to be back where that is what has failed; the newest
    1,000 are kept.

    Parameters
    ----------
    intake : takes samples of ``resilience/<breaker>/state``.
    bus : takes events ``aetherops.resilience.<breaker>``.
    now_us : wall clock, microseconds since 1970.
    monotonic_ns : the breakers' clock.
    """

    runs_again = True

    def __init__(
        self,
        registry: BreakerRegistry,
        intake: BatchQueue,
        bus: EventBus,
        now_us: Callable[[], int],
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        super().__init__()
        self._intake = intake
        self._bus = bus
        self._now_us = now_us
        self._monotonic_ns = monotonic_ns
        self._waiting: deque[tuple[int, TransitionEvent]] = deque(maxlen=_MAX_WAITING)
        self._roused = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        registry.subscribe(self._hear)

    async def run(self) -> None:
        """Pass transitions on until `stop`."""
        while not self.stopping:
            while self._waiting and not self.stopping:
                await self._pass_on(*self._waiting.popleft())
            await self._roused.wait()
            self._roused.clear()

    def stop(self) -> None:
        """Return from `run`; what still waits is in the log."""
        super().stop()
        self._roused.set()

    def _hear(self, event: TransitionEvent) -> None:
        told = {
            "breaker": event.breaker,
            "source": event.source,
            "target": event.target,
            "trigger": event.trigger,
            "failures": event.counts.consecutive_failures,
        }
        if {event.source, event.target} == {State.OPEN, State.HALF_OPEN}:
            # In an outage it is probed again and again: what begins it and what ends it is told.
            _log.debug("breaker_moved", **told)
        else:
            _log.warning("breaker_moved", **told)
        # Listeners are called in whatever thread moved the breaker.
        at_us = self._now_us() - (self._monotonic_ns() - event.at_ns) // 1_000
        self._loop.call_soon_threadsafe(self._keep, at_us, event)

    def _keep(self, at_us: int, event: TransitionEvent) -> None:
        self._waiting.append((at_us, event))
        self._roused.set()

    async def _pass_on(self, at_us: int, event: TransitionEvent) -> None:
        batch = _batch_of(at_us, event)
        while not self.stopping:
            try:
                await self._intake.put(batch)
                await self._bus.publish(f"aetherops.resilience.{event.breaker}", _fields(event))
            except UnavailableError as error:
                await self.pause(max(_RETRY_S, error.retry_after_s))
            else:
                return


def _batch_of(at_us: int, event: TransitionEvent) -> SampleBatch:
    stream = Stream(StreamName("resilience", event.breaker, "state"), kind="state")
    samples = Samples.of([at_us], [STATE_VALUES[event.target]])
    return SampleBatch(uuid4(), (Series(stream, samples),))


def _fields(event: TransitionEvent) -> dict[str, object]:
    return {
        "breaker": event.breaker,
        "source": event.source,
        "target": event.target,
        "trigger": event.trigger,
        "override": event.override,
        "generation": event.generation,
        "consecutive_failures": event.counts.consecutive_failures,
    }
