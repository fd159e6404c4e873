"""Events kept for another delivery, and whether the second delivery told the same.

An event is a mapping with its identity under ``"event_id"``; None there is the same as no id.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping

__all__ = ["ReplayBuffer", "deduplicate", "replay_budget", "replay_converges"]

_EVENTS_PER_S = 12
_MARGIN = 0.9


def replay_budget(events: int, timeout_s: float) -> int:
    """How many events to replay so that a timeout is kept with a tenth to spare.

    Parameters
    ----------
    events : how many wait.
    timeout_s : seconds there are; 12 events fit into one.

    Returns
    -------
    ``int(min(events, timeout_s * 12) * 0.9)``, at least 1; 0 where either is 0 or less.
    """
    if events <= 0 or timeout_s <= 0:
        return 0
    return max(int(min(events, timeout_s * _EVENTS_PER_S) * _MARGIN), 1)


def deduplicate(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The first event of each id, in order; events without an id all pass."""
    seen: set[Hashable] = set()
    kept = []
    for event in events:
        event_id = event.get("event_id")
        if event_id in seen:
            continue
        if event_id is not None:
            seen.add(event_id)
        kept.append(event)
    return kept


def replay_converges(
    original: Iterable[Mapping[str, Any]], replayed: Iterable[Mapping[str, Any]]
) -> bool:
    """Whether both hold the same events, payloads included, whatever order ids arrived in.

    Events that share an id (or have none) must follow each other in the same order, as if both
    sequences were sorted by id, stably. Ids need not be comparable with each other.
    """
    return _by_id(original) == _by_id(replayed)


def _by_id(events: Iterable[Mapping[str, Any]]) -> dict[Hashable, list[dict[str, Any]]]:
    grouped: dict[Hashable, list[dict[str, Any]]] = {}
    for event in events:
        grouped.setdefault(event.get("event_id"), []).append(dict(event))
    return grouped


class ReplayBuffer:
    """Events that wait for a replay, up to a capacity; what does not fit is refused and counted.

    Parameters
    ----------
    capacity : the most events kept, 0 or more.

    Raises
    ------
    InvalidInputError
        `capacity` is negative.
    """

    def __init__(self, capacity: int = 1000) -> None:
        if capacity < 0:
            raise InvalidInputError("capacity", capacity, "0 or more events")
        self._capacity = capacity
        self._events: deque[Mapping[str, Any]] = deque()
        self._dropped_count = 0

    @property
    def dropped_count(self) -> int:
        """How many events were refused, over the buffer's whole life."""
        return self._dropped_count

    def append(self, event: Mapping[str, Any]) -> bool:
        """Keep an event; False, and one more dropped, where the buffer is full."""
        if len(self._events) >= self._capacity:
            self._dropped_count += 1
            return False
        self._events.append(event)
        return True

    def drain(self) -> list[Mapping[str, Any]]:
        """Take every event, oldest first, as an independent list."""
        drained = list(self._events)
        self._events.clear()
        return drained

    def size(self) -> int:
        """How many events are kept."""
        return len(self._events)
