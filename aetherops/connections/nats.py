"""NATS: a connection that renews itself, whose every use passes a circuit breaker."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, Self

import nats.errors
import nats.js.errors
import structlog
from nats.aio.client import Client

from aetherops.connections.endpoints import without_secrets
from aetherops.connections.probes import PROBE_TIMEOUT_S, answers
from aetherops.errors import UnavailableError, UnreachableError
from aetherops.resilience import Breaker, exceptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Nats", "is_nats_away"]

_RECONNECT_WAIT_S = 0.25
_PENDING_BYTES = 32 * 2**20
_COMMAND_TIMEOUT_S = 20.0
_CLOSE_TIMEOUT_S = 5.0
# A server that hangs keeps its connection: after three pings without an answer it is given up.
_PING_S, _UNANSWERED_PINGS = 5.0, 2

# What the driver raises when it could not do what was asked.
_FAILURES: tuple[type[Exception], ...] = (nats.errors.Error, OSError, TimeoutError)

# What ends a connection, met while the client still takes it for one.
_LOST = (OSError, nats.errors.UnexpectedEOF, nats.errors.StaleConnectionError)

#: Says of uses of the client whether they failed. An `APIError` says nothing against the server:
#: it answered, and a full stream must not keep the workers from emptying it. Nor does a message
#: that is too large: it is its sender's.
is_nats_away = exceptions(
    *_FAILURES, exclude=(nats.js.errors.APIError, nats.errors.MaxPayloadError)
)

_log = structlog.get_logger(__name__)


class Nats:
    """A NATS client behind a circuit breaker.

    Parameters
    ----------
    client : a connected client.
    breaker : guards every use; its detector is `is_nats_away`.
    command_timeout_s : limit on each use.
    """

    def __init__(
        self,
        client: Client,
        breaker: Breaker | None = None,
        command_timeout_s: float = _COMMAND_TIMEOUT_S,
    ) -> None:
        self.client = client
        self._command_timeout_s = command_timeout_s
        self.js = client.jetstream()
        self.breaker = breaker or Breaker("nats", detector=is_nats_away)

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        url: str,
        breaker: Breaker | None = None,
        *,
        connect_timeout_s: float = 10.0,
        command_timeout_s: float = _COMMAND_TIMEOUT_S,
    ) -> AsyncIterator[Self]:
        """Connect to one URL, or several with commas; close with the block.

        A connection that is lost is made again for ever.

        Parameters
        ----------
        connect_timeout_s : limit on the first connection, and on each that renews it.
        command_timeout_s : limit on each use.

        Raises
        ------
        UnreachableError
            No server answers there in time, or it refuses us.
        """
        handle = cls(await _connected(url, connect_timeout_s), breaker, command_timeout_s)
        try:
            yield handle
        finally:
            await handle.close()

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[Client]:
        """One use of `client` or `js`; what the driver raises becomes our error.

        The block is for NATS alone: a time-out or an `OSError` inside it counts as the server's.

        Raises
        ------
        UnavailableError
            The server is away, or did not do what was asked.
        """
        try:
            async with self.breaker.guard(), asyncio.timeout(self._command_timeout_s):
                if not self.client.is_connected:
                    # It would buffer what is sent, and time out much later.
                    raise ConnectionError("NATS is not connected")
                yield self.client
        except _FAILURES as error:
            raise UnavailableError("nats") from error

    async def probe(self, timeout_s: float = PROBE_TIMEOUT_S) -> bool:
        """Whether JetStream answers now, whatever the breaker says."""
        return await answers(self.js.account_info, timeout_s)

    async def close(self) -> None:
        """Close the connection; subscriptions end with it."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self.client.close()


async def _connected(url: str, timeout_s: float) -> Client:
    client = Client()
    failures: list[Exception] = []
    counts: Counter[str] = Counter()

    async def note_failure(error: Exception) -> None:
        if not client.is_connected or isinstance(error, _LOST):
            # A connection is tried four times a second: its end and its return are told.
            failures.append(error)
            del failures[:-1]
            counts["failures"] += 1
            return
        _log.warning("nats_failed", error=str(error) or type(error).__name__)

    try:
        async with asyncio.timeout(timeout_s):
            options = _options(client, timeout_s, counts)
            await client.connect(url.split(","), error_cb=note_failure, **options)
    except (OSError, nats.errors.Error) as error:
        await client.close()
        reason = failures[-1] if failures else error
        raise UnreachableError("nats", without_secrets(url), reason) from error
    return client


def _options(client: Client, connect_timeout_s: float, counts: Counter[str]) -> dict[str, Any]:
    async def note_loss() -> None:
        if not client.is_closed:  # an end that was asked for is no loss
            counts.clear()
            _log.warning("nats_disconnected")

    async def note_return() -> None:
        _log.warning("nats_reconnected", failures=counts["failures"])

    return {
        "name": "aetherops",
        "connect_timeout": connect_timeout_s,
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": _RECONNECT_WAIT_S,
        "pending_size": _PENDING_BYTES,
        "ping_interval": _PING_S,
        "max_outstanding_pings": _UNANSWERED_PINGS,
        "disconnected_cb": note_loss,
        "reconnected_cb": note_return,
    }
