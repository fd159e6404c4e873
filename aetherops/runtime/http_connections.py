"""The connections of the HTTP server: how many there may be, and how long each may wait."""

from __future__ import annotations

import resource
from collections import OrderedDict
from enum import Enum, auto
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from aetherops.runtime.settings import HttpSettings

__all__ = ["Connection", "ConnectionTable", "Wait", "connection_limit"]

_MOST_CONNECTIONS = 4_096
#: For servers behind, their pipes, files and what a start opens.
_RESERVED_DESCRIPTORS = 256
#: A refused client has this long to read why, before what it still sends ends in a reset.
_FAREWELL_S = 2.0


class Wait(Enum):
    """What a connection waits for. When room is needed, the first loses least by ending."""

    FAREWELL = auto()  # the client is to close: it was told why it is refused
    REQUEST = auto()  # the next request
    HEAD = auto()  # the rest of a request line and headers, or a first request
    READER = auto()  # the client is to take its answer


class Connection(Protocol):
    """What the table needs of a connection."""

    def expire(self, wait: Wait) -> None:
        """It has waited too long; called once for each `ConnectionTable.wait`."""

    def drop(self) -> None:
        """End at once, whatever is unsent."""


class ConnectionTable:
    """Who waits, for what, since when. What no connection waits for is the application's to bound.

    Each wait has one length, so those that wait stand in the order in which their time is up:
    nothing is searched, neither here nor for each request.

    Parameters
    ----------
    settings : the lengths, and the most connections.
    clock : seconds that only grow.
    """

    def __init__(self, settings: HttpSettings, clock: Callable[[], float]) -> None:
        self.max_connections = settings.max_connections or connection_limit()
        self._clock = clock
        self._timeouts_s = {
            Wait.FAREWELL: _FAREWELL_S,
            Wait.REQUEST: settings.idle_timeout_s,
            Wait.HEAD: settings.head_timeout_s,
            Wait.READER: settings.send_timeout_s,
        }
        self._open: set[Connection] = set()
        self._since: dict[Wait, OrderedDict[Connection, float]] = {
            wait: OrderedDict() for wait in Wait
        }

    def wait(self, connection: Connection, wait: Wait) -> None:
        """The connection begins to wait; it must not be waiting yet."""
        self._since[wait][connection] = self._clock()

    def end_wait(self, connection: Connection, wait: Wait) -> None:
        """What the connection waited for has come, or never will."""
        self._since[wait].pop(connection, None)

    def admit(self, connection: Connection) -> bool:
        """Count a new connection; False where all others are busy, and it is one too many.

        Where there are too many, the longest-waiting make room.
        """
        self._open.add(connection)
        while len(self._open) > self.max_connections:
            waiting = next(filter(None, self._since.values()), None)
            if waiting is None:
                return False
            oldest, _ = waiting.popitem(last=False)
            self._open.discard(oldest)
            oldest.drop()
        return True

    def forget(self, connection: Connection) -> None:
        """The connection has ended."""
        self._open.discard(connection)

    def sweep(self) -> None:
        """Tell all whose time is up."""
        for wait in Wait:
            for connection in self._take_expired(wait):
                connection.expire(wait)

    def _take_expired(self, wait: Wait) -> Iterator[Connection]:
        waiting, latest = self._since[wait], self._clock() - self._timeouts_s[wait]
        while waiting and next(iter(waiting.values())) <= latest:
            yield waiting.popitem(last=False)[0]


def connection_limit() -> int:
    """How many connections the descriptor limit of this process leaves room for."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return min(_MOST_CONNECTIONS, descriptors - min(_RESERVED_DESCRIPTORS, descriptors // 2))
