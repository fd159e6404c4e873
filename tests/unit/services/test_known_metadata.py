"""Units and kinds known at the edge: asked seldom, refused for sure, and never in the way."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from aetherops.archive.memory import MemoryTelemetryStore
from aetherops.archive.metadata import StreamConflictError
from aetherops.archive.samples import SampleBatch, Samples, Series
from aetherops.archive.store import AcceptedBatch
from aetherops.archive.stream import Stream, StreamName
from aetherops.audit.trail import Authorship
from aetherops.errors import UnavailableError
from aetherops.services.known_metadata import KnownMetadata

NAME = StreamName("plant", "pump-3", "pressure")
KPA, PSI, UNSAID = Stream(NAME, "kPa"), Stream(NAME, "psi"), Stream(NAME)
ADA = Authorship("ada", 0, "")


class AskedStore(MemoryTelemetryStore):
    """Counts how often it is asked, and may be away."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.is_away = False
        self.hangs = False

    async def metadata(self, names):
        self.asked += 1
        if self.is_away:
            raise UnavailableError("postgres")
        if self.hangs:
            await asyncio.Event().wait()
        return await super().metadata(names)


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
async def store() -> AskedStore:
    store = AskedStore()
    await store.write(
        [AcceptedBatch(SampleBatch(uuid4(), (Series(KPA, Samples.of([0], [1.0])),)), 1)]
    )
    store.asked = 0
    return store


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(store: AskedStore, clock: Clock) -> KnownMetadata:
    return KnownMetadata(store, clock)


async def test_a_stream_is_asked_about_once_in_a_while_and_not_for_each_batch(
    known, store, clock
) -> None:
    for _ in range(100):
        await known.require_agreement([KPA])
    assert store.asked == 1

    clock.now_s = 31.0
    await known.require_agreement([KPA])
    assert store.asked == 2


async def test_a_batch_that_says_nothing_asks_nothing(known, store) -> None:
    await known.require_agreement([UNSAID])
    assert store.asked == 0


async def test_what_differs_is_refused_and_names_all_of_it(known) -> None:
    with pytest.raises(StreamConflictError) as caught:
        await known.require_agreement([Stream(StreamName("a", "b", "new"), "m"), PSI])

    error = caught.value
    assert (error.stream, error.field, error.stored, error.given) == (
        *(str(NAME), "unit"),
        *("kPa", "psi"),
    )


async def test_what_was_changed_elsewhere_is_not_refused_by_what_was_known(known, store) -> None:
    await known.require_agreement([KPA])
    await store.describe(NAME, ADA, unit="psi", kind=None)

    await known.require_agreement([PSI])
    with pytest.raises(StreamConflictError):
        await known.require_agreement([KPA])


async def test_a_stream_that_there_was_not_is_asked_about_again_once_a_batch_differs(
    known, store
) -> None:
    new_kpa, new_psi = (Stream(StreamName("a", "b", "new"), unit) for unit in ("kPa", "psi"))
    for _ in range(10):
        await known.require_agreement([new_kpa])
    assert store.asked == 1
    await known.require_agreement([new_psi])  # both are under way: the store decides
    assert store.asked == 2

    series = (Series(new_kpa, Samples.of([0], [1.0])),)
    await store.write([AcceptedBatch(SampleBatch(uuid4(), series), 2)])
    await known.require_agreement([new_kpa])
    with pytest.raises(StreamConflictError):
        await known.require_agreement([new_psi])


@pytest.mark.parametrize("trouble", ["is_away", "hangs"])
async def test_a_store_in_trouble_keeps_no_batch_waiting_and_is_left_alone(
    known, store, clock, trouble
) -> None:
    setattr(store, trouble, True)
    for _ in range(10):
        await known.require_agreement([PSI])
    assert store.asked == 1

    setattr(store, trouble, False)
    clock.now_s = 6.0
    with pytest.raises(StreamConflictError):
        await known.require_agreement([PSI])


async def test_more_unknown_streams_than_a_question_is_worth_are_left_to_the_store(
    known, store
) -> None:
    await known.require_agreement(
        [Stream(StreamName("a", "b", f"c{i}"), "m") for i in range(2_001)]
    )
    assert store.asked == 0
