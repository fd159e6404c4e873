"""What breakers do is told as telemetry and as events, once the queue can take it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import structlog

from aetherops.errors import UnavailableError
from aetherops.parts.breaker_reports import BreakerReports
from aetherops.resilience import BreakerPolicy, BreakerRegistry, Override

NOW_US = 1_800_000_000_000_000


class Intake:
    """Keeps batches; the first `refusals` are refused."""

    def __init__(self, refusals: int = 0) -> None:
        self.batches = []
        self.refusals = refusals

    async def put(self, batch) -> None:
        if self.refusals:
            self.refusals -= 1
            raise UnavailableError("nats", 0.0)
        self.batches.append(batch)


class Bus:
    def __init__(self) -> None:
        self.told = []

    async def publish(self, subject, event) -> None:
        self.told.append((subject, event))


@asynccontextmanager
async def reporting(intake, bus):
    registry = BreakerRegistry(default=BreakerPolicy())
    reports = BreakerReports(registry, intake, bus, lambda: NOW_US)
    task = asyncio.create_task(reports.run())
    try:
        yield registry
    finally:
        reports.stop()
        async with asyncio.timeout(10):
            await task


async def until(reached) -> None:
    async with asyncio.timeout(10):
        while not reached():
            await asyncio.sleep(0.001)


async def test_a_transition_is_logged_kept_as_telemetry_and_published() -> None:
    intake, bus = Intake(), Bus()
    with structlog.testing.capture_logs() as logs:
        async with reporting(intake, bus) as registry:
            registry.get("nats").trip()
            await until(lambda: bus.told)
    assert logs[0]["event"] == "breaker_moved"
    (batch,) = intake.batches
    assert str(batch.series[0].stream.name) == "resilience/nats/state"
    assert batch.series[0].samples.values.tolist() == [2.0]
    ((subject, event),) = bus.told
    assert subject == "aetherops.resilience.nats"
    assert (event["source"], event["target"]) == ("closed", "open")


async def test_of_an_outage_its_begin_and_its_end_are_told_and_its_probes_are_not() -> None:
    with structlog.testing.capture_logs() as logs:
        async with reporting(Intake(), Bus()) as registry:
            breaker = registry.get("nats")
            breaker.trip()
            for _ in range(3):
                breaker.probe()
                breaker.trip()
            breaker.reset()
    told = [(one["source"], one["target"]) for one in logs if one["log_level"] == "warning"]
    assert told == [("closed", "open"), ("open", "closed")]
    assert len([one for one in logs if one["log_level"] == "debug"]) == 6


async def test_what_the_queue_cannot_take_now_is_told_later_and_in_order() -> None:
    intake, bus = Intake(refusals=1), Bus()
    async with reporting(intake, bus) as registry:
        registry.get("nats").force(Override.FORCED_OPEN)
        registry.get("nats").reset()
        await until(lambda: len(bus.told) == 2)
    assert [event["target"] for _, event in bus.told] == ["open", "closed"]


async def test_the_newest_thousand_are_kept_while_nobody_takes_them() -> None:
    intake, bus = Intake(), Bus()
    registry = BreakerRegistry(default=BreakerPolicy())
    reports = BreakerReports(registry, intake, bus, lambda: NOW_US)
    with structlog.testing.capture_logs():
        for _ in range(501):
            registry.get("nats").trip()
            registry.get("nats").reset()
    task = asyncio.create_task(reports.run())
    await until(lambda: len(bus.told) == 1_000)
    reports.stop()
    await task
    assert bus.told[-1][1]["target"] == "closed"


async def test_it_stops_while_nothing_happens_and_while_the_queue_is_away() -> None:
    async with reporting(Intake(), Bus()):
        pass
    intake = Intake(refusals=10**9)
    async with reporting(intake, Bus()) as registry:
        registry.get("nats").trip()
        await until(lambda: intake.refusals < 10**9)
    assert intake.batches == []
