"""Events: who of this process hears them, and the port to other programs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EventBus", "Listeners"]

Event = TypeVar("Event")

# One for all listeners, which are copied and pickled with what they belong to, as no lock can be.
_changing = threading.Lock()


class EventBus(Protocol):
    """Where events go that other programs may listen to; nothing is kept for those who do not."""

    async def publish(self, subject: str, event: Mapping[str, object]) -> None:
        """Tell whoever listens; raises `UnavailableError`."""
        ...


class Listeners(Generic[Event]):
    """Functions that hear events, in the order they came; from any thread.

    What they raise is counted in ``errors`` and goes no further.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Callable[[Event], object], ...] = ()
        self.errors = 0

    def add(self, listener: Callable[[Event], object]) -> None:
        """From now on, tell this listener too."""
        with _changing:
            self._listeners = (*self._listeners, listener)

    def remove(self, listener: Callable[[Event], object]) -> None:
        """Tell this listener no more."""
        with _changing:
            self._listeners = tuple(known for known in self._listeners if known != listener)

    def tell(self, event: Event) -> None:
        """Hand the event to every listener."""
        for listener in self._listeners:
            try:
                listener(event)
            except Exception:
                self.errors += 1

    def __iter__(self) -> Iterator[Callable[[Event], object]]:
        return iter(self._listeners)
