"""Queues by weight, by priority and by arrival.

Their ends are heaps and deques: adding and taking cost at most the logarithm of the size.
They are for one thread; share one between threads behind a lock, or use `queue` and `asyncio`.
"""

from __future__ import annotations

import heapq
import math
from collections import deque
from dataclasses import dataclass
from itertools import count
from typing import TYPE_CHECKING, Any, Generic, TypedDict, TypeVar

from aetherops.errors import InvalidInputError
from aetherops.statistics.averages import plain_mean

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["DrainableQueue", "PriorityQueue", "QueueItem", "QueuedTask", "WeightedQueue"]

T = TypeVar("T")

# Waiting longer than this raises an item's urgency no further.
_LONGEST_COUNTED_WAIT_S = 900


class _RankedHeap(Generic[T]):
    """Highest rank first, first in first out among equal ranks."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int]] = []
        self._items: dict[int, T] = {}
        self._arrivals = count()

    def push(self, item: T, rank: float, field: str) -> None:
        if math.isnan(rank):
            raise InvalidInputError(field, rank, "a number that can be ordered")
        arrival = next(self._arrivals)
        heapq.heappush(self._heap, (-rank, arrival))
        self._items[arrival] = item

    def peek(self) -> T | None:
        return self._items[self._heap[0][1]] if self._heap else None

    def pop(self) -> T | None:
        return self._items.pop(heapq.heappop(self._heap)[1]) if self._heap else None

    def __len__(self) -> int:
        return len(self._heap)

    def __iter__(self) -> Iterator[T]:
        """Items by arrival."""
        return iter(self._items.values())


@dataclass(frozen=True, slots=True)
class QueueItem:
    """A ticket that waits: its severity (higher is worse) and how long it had waited, in s."""

    ticket_id: str
    severity: float
    wait_seconds: float

    @property
    def urgency(self) -> float:
        """What a `WeightedQueue` orders by: ``severity * 10 + min(wait_seconds, 900) / 30``."""
        return self.severity * 10 + min(self.wait_seconds, _LONGEST_COUNTED_WAIT_S) / 30

    @property
    def pressure(self) -> float:
        """What the ticket adds to a queue's pressure: ``severity * 2.2 + wait_seconds / 180``."""
        return self.severity * 2.2 + self.wait_seconds / 180


class WeightedQueue:
    """Tickets by urgency: severity first, and waiting counts for up to 15 minutes."""

    def __init__(self) -> None:
        self._tickets: _RankedHeap[QueueItem] = _RankedHeap()

    def push(self, ticket_id: str, severity: float, wait_seconds: float) -> None:
        """Add a ticket.

        Raises
        ------
        InvalidInputError
            `severity` or `wait_seconds` is NaN, which has no place in an order.
        """
        item = QueueItem(ticket_id, severity, wait_seconds)
        self._tickets.push(item, item.urgency, "severity and wait_seconds")

    def pop(self) -> QueueItem | None:
        """Take the most urgent ticket, the earliest of equals; None where there is none."""
        return self._tickets.pop()

    def pressure(self) -> float:
        """Mean of the waiting tickets' `QueueItem.pressure`, rounded to 4; empty gives 0.0."""
        return round(plain_mean([item.pressure for item in self._tickets]), 4)

    def size(self) -> int:
        """How many tickets wait."""
        return len(self._tickets)


class QueuedTask(TypedDict):
    """An entry of a `PriorityQueue`."""

    id: str
    priority: float
    data: Any


class PriorityQueue:
    """Entries by priority, first in first out among equals."""

    def __init__(self) -> None:
        self._tasks: _RankedHeap[QueuedTask] = _RankedHeap()

    def enqueue(self, item_id: str, priority: float, data: Any = None) -> None:
        """Add an entry; the same id may wait several times.

        Raises
        ------
        InvalidInputError
            `priority` is NaN, which has no place in an order.
        """
        task: QueuedTask = {"id": item_id, "priority": priority, "data": data}
        self._tasks.push(task, priority, "priority")

    def dequeue(self) -> QueuedTask | None:
        """Take the entry of the highest priority; None where there is none."""
        return self._tasks.pop()

    def peek(self) -> QueuedTask | None:
        """A copy of the entry that `dequeue` would take; None where there is none."""
        task = self._tasks.peek()
        return None if task is None else task.copy()

    def size(self) -> int:
        """How many entries wait."""
        return len(self._tasks)


class DrainableQueue(Generic[T]):
    """First in, first out, taken in batches."""

    def __init__(self) -> None:
        self._items: deque[T] = deque()

    def push(self, item: T) -> None:
        """Add an item at the end."""
        self._items.append(item)

    def drain_batch(self, count: int) -> list[T]:
        """Take the first `count` items, or all where there are fewer, in order of arrival.

        Raises
        ------
        InvalidInputError
            `count` is negative.
        """
        if count < 0:
            raise InvalidInputError("count", count, "0 or more items")
        return [self._items.popleft() for _ in range(min(count, len(self._items)))]

    def peek(self) -> T | None:
        """The item that is taken next; None where there is none."""
        return self._items[0] if self._items else None

    def size(self) -> int:
        """How many items wait."""
        return len(self._items)
