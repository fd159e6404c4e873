"""What happens again and again is told at each doubling of its count."""

from __future__ import annotations

from dataclasses import dataclass

from aetherops.runtime.repeats import Repeats


@dataclass
class Clock:
    now_s: float = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_first_is_told_and_then_each_doubling() -> None:
    repeats = Repeats()
    counts = [repeats.count("away") for _ in range(1000)]
    assert [n for n in counts if repeats.is_told(n)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


def test_each_thing_has_its_own_count() -> None:
    repeats = Repeats()
    assert (repeats.count("a"), repeats.count("a"), repeats.count("b")) == (1, 2, 1)
    assert repeats.forget("a") == 2
    assert repeats.forget("a") == 0
    assert repeats.count("a") == 1


def test_after_a_long_silence_it_is_the_first_again() -> None:
    clock = Clock()
    repeats = Repeats(quiet_s=600, clock_s=clock)
    repeats.count("a")
    clock.now_s = 599
    assert repeats.count("a") == 2
    clock.now_s += 600
    assert repeats.count("a") == 1


def test_no_more_things_are_remembered_than_fit() -> None:
    repeats = Repeats()
    for name in range(5_000):
        repeats.count(name)
    assert repeats.count(4_999) == 2
    assert repeats.count(0) == 1, "the oldest was forgotten"
