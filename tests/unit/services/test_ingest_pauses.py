"""A pause is told as it begins and as it has ended, whatever the workers do in between."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from aetherops.services.ingest_pauses import EndedPause, IngestPauses


@dataclass
class Clock:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def pauses(clock: Clock) -> IngestPauses:
    return IngestPauses(settled_after_s=10.0, clock_s=clock)


def test_a_pause_of_many_workers_begins_once(pauses: IngestPauses) -> None:
    assert pauses.wait("one", "disk")
    assert not pauses.wait("two", "disk")
    assert not pauses.wait("one", "disk")
    assert pauses.counts == {"disk": 1}
    assert pauses.waited_for() == {"disk": True}


def test_it_ends_once_no_worker_has_waited_for_a_while(pauses: IngestPauses, clock: Clock) -> None:
    pauses.wait("one", "disk")
    pauses.wait("two", "disk")
    clock.now_s += 60
    assert pauses.go_on("one") == []
    clock.now_s += 60
    assert pauses.go_on("one") == [], "the other still waits"
    assert pauses.go_on("two") == [], "it may wait again at once"
    clock.now_s += 10
    assert pauses.go_on("one") == [EndedPause("disk", 120.0, tries=2)]
    assert pauses.go_on("two") == []
    assert pauses.waited_for() == {"disk": False}


def test_who_comes_and_goes_is_one_pause(pauses: IngestPauses, clock: Clock) -> None:
    begun = 0
    for _ in range(100):
        begun += pauses.wait("one", "postgres")
        clock.now_s += 5
        assert pauses.go_on("one") == []
        clock.now_s += 5
    assert begun == 1
    clock.now_s += 5
    assert pauses.go_on("one") == [EndedPause("postgres", 995.0, tries=100)]


def test_to_wait_for_two_in_turn_is_one_pause_each(pauses: IngestPauses, clock: Clock) -> None:
    begun = [pauses.wait("one", name) for name in ("disk", "postgres", "disk", "postgres")]
    assert begun == [True, True, False, False]
    pauses.go_on("one")
    clock.now_s += 10
    assert {ended.dependency for ended in pauses.go_on("one")} == {"disk", "postgres"}
