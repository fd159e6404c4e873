"""What happens in the middle of a pure table's step, as a signal handler may make it, is seen."""

from __future__ import annotations

from typing import Any

from aetherops.core._pure.ratelimit.bucket_counters import BucketCounters

TIERS = [(1, 10**6, 5 * 10**6)]


class Disturbed(BucketCounters):
    """Calls what is set as `disturb` once, inside the step that is named `where`."""

    where = ""

    def disturb(self) -> None:
        """Nothing, until a test sets it."""

    def _once(self, where: str) -> None:
        if self.where == where:
            self.where = ""
            self.disturb()

    def _give_back(self, *given: Any) -> None:
        self._once("give_back")
        super()._give_back(*given)

    def _found(self, *given: Any) -> Any:
        entry = super()._found(*given)
        self._once("found")
        return entry

    def _idle(self, *given: Any) -> bool:
        idle = super()._idle(*given)
        self._once("idle")
        return idle


def disturbed(where: str, disturb: Any, **options: Any) -> Disturbed:
    counters = Disturbed(TIERS, clock_ns=lambda: 10**9, **options)
    counters.disturb = lambda: disturb(counters)  # type: ignore[method-assign]
    counters.allow("k", 5)
    counters.where = where
    return counters


def test_a_refund_is_made_again_where_a_decision_came_between() -> None:
    counters = disturbed("give_back", lambda table: table.allow("other"))
    counters.refund("k", 3)
    assert counters.inspect("k")[2] == 3
    assert counters.inspect("other")[2] == 4


def test_a_decision_takes_the_later_instant_that_came_between() -> None:
    counters = disturbed("found", lambda table: table.allow("other", 1, 3_000_000))
    assert counters.allow("k", 2, 1_000_000)
    assert not counters.allow("k", 1, 3_000_000)


def test_a_slot_is_kept_where_a_decision_came_between() -> None:
    counters = disturbed("", lambda table: table.allow("old", 1, 9_000_000))
    counters.allow("old", 1, 1_000_000)
    counters.where = "idle"
    counters.allow("new", 1, 8_000_000)
    assert counters.inspect("old", 1, 9_000_000)[2] == 4


def test_a_reading_is_of_the_latest_instant_seen() -> None:
    counters = disturbed("", None)
    counters.allow("k", 1, 3_000_000)
    entry = counters._entries["k"]
    assert counters._reading_of(entry, 1, 0) == counters._reading_of(entry, 1, 3_000_000)


def test_what_left_the_table_in_between_is_not_among_what_is_kept() -> None:
    class Leaving(dict[str | int, list[Any]]):
        def get(self, key: Any, default: Any = None) -> Any:
            return None if key == "gone" else super().get(key, default)

    counters = disturbed("", None)
    counters.allow("gone")
    counters._entries = Leaving(counters._entries)
    assert list(counters._kept()) == ["k"]
