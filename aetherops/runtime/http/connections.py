"""The connections of the HTTP server: how many there may be, and how long each may wait."""

from __future__ import annotations

import resource
from collections import Counter, OrderedDict
from typing import TYPE_CHECKING, Protocol

from aetherops.runtime.http.refusals import REASONS, Reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.runtime.settings import HttpSettings

__all__ = ["Connection", "ConnectionTable", "Wait", "connection_limit"]

_MOST_CONNECTIONS = 4_096
#: For servers behind, their pipes, files and what a start opens.
_RESERVED_DESCRIPTORS = 256
#: A refused client has this long to read why, before what it still sends ends in a reset.
_FAREWELL_S = 2.0


class Connection(Protocol):
    """What the table needs of a connection."""

    def expire(self, wait: Wait) -> None:
        """It has waited too long, and waits no more."""

    def drop(self) -> None:
        """End at once, whatever is unsent."""


class Wait:
    """The connections that wait for one thing, in the order in which their time is up.

    They all have the same time, so nothing is searched, and a request costs two steps.

    Parameters
    ----------
    timeout_s : how long each may wait.
    clock : seconds that only grow.
    """

    def __init__(self, timeout_s: float, clock: Callable[[], float]) -> None:
        self._timeout_s = timeout_s
        self._clock = clock
        self._since: OrderedDict[Connection, float] = OrderedDict()

    def begin(self, connection: Connection) -> None:
        """The connection, which is not among them, begins to wait."""
        self._since[connection] = self._clock()

    def end(self, connection: Connection) -> None:
        """What the connection waited for has come, or never will."""
        self._since.pop(connection, None)

    def take_oldest(self) -> Connection | None:
        """The longest-waiting, which waits no more; None if none waits."""
        return self._since.popitem(last=False)[0] if self._since else None

    def expire(self) -> None:
        """Tell all whose time is up."""
        latest = self._clock() - self._timeout_s
        while self._since and next(iter(self._since.values())) <= latest:
            connection, _ = self._since.popitem(last=False)
            connection.expire(self)


class ConnectionTable:
    """Which connections there are, and which of them wait, for what, since when.

    How long a request may take that is at work is for the application to bound.

    Parameters
    ----------
    settings : how long each may wait, and the most connections.
    clock : seconds that only grow.
    """

    def __init__(self, settings: HttpSettings, clock: Callable[[], float]) -> None:
        self.max_connections = settings.max_connections or connection_limit()
        self._open: set[Connection] = set()
        #: Connections that were refused or ended for want of room or patience, by reason.
        self.refused: Counter[Reason] = Counter(dict.fromkeys(REASONS, 0))
        #: For the client to close: it was told why it is refused.
        self.farewell = Wait(_FAREWELL_S, clock)
        #: For the next request.
        self.request = Wait(settings.idle_timeout_s, clock)
        #: For the rest of a request line and headers, or for a first request.
        self.head = Wait(settings.head_timeout_s, clock)
        #: For the client to take its answer.
        self.reader = Wait(settings.send_timeout_s, clock)
        # Who is in the first loses least by ending.
        self._waits = (self.farewell, self.request, self.head, self.reader)

    def admit(self, connection: Connection) -> bool:
        """Count a new connection; False where all others are busy, and it is one too many.

        Where there are too many, the longest-waiting make room.
        """
        self._open.add(connection)
        while len(self._open) > self.max_connections:
            oldest = next(filter(None, (wait.take_oldest() for wait in self._waits)), None)
            if oldest is None:
                return False
            self._open.discard(oldest)
            self.refused["made_room"] += 1
            oldest.drop()
        return True

    def forget(self, connection: Connection) -> None:
        """The connection has ended."""
        self._open.discard(connection)

    @property
    def n_open(self) -> int:
        """Connections that there are."""
        return len(self._open)

    def sweep(self) -> None:
        """Tell all whose time is up."""
        for wait in self._waits:
            wait.expire()


def connection_limit() -> int:
    """How many connections the descriptor limit of this process leaves room for."""
    descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if descriptors == resource.RLIM_INFINITY:
        return _MOST_CONNECTIONS
    return min(_MOST_CONNECTIONS, descriptors - min(_RESERVED_DESCRIPTORS, descriptors // 2))
