"""Accepted batches in NATS JetStream: durable once acknowledged, delivered until stored."""

from __future__ import annotations

import json
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import nats.errors
import nats.js.errors
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)

from aetherops.archive.codec import decode_batch, encode_batch
from aetherops.archive.intake import Backlog
from aetherops.archive.store import AcceptedBatch
from aetherops.errors import AetherOpsError, UnavailableError
from aetherops.resilience import Breaker, exceptions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

    from aetherops.archive.samples import SampleBatch

__all__ = [
    "GuardedClient",
    "JetStreamQueue",
    "JetStreamSource",
    "is_nats_away",
    "prepare_streams",
]

_STREAM = "TELEMETRY"
_SUBJECT = "telemetry.batch"
_REJECTED_STREAM = "TELEMETRY_REJECTED"
_REJECTED_SUBJECT = "telemetry.rejected"
_CONSUMER = "store"

#: A worker that died has its batches delivered to another after this long.
_ACK_WAIT_S = 15.0
_MAX_ACK_PENDING = 4_096
_MAX_REJECTED_BYTES = 256 * 2**20
_STREAM_ALREADY_EXISTS = 10058


async def prepare_streams(client: Client, backlog_bytes: int) -> None:
    """Create or update the streams and the workers' shared consumer.

    A work queue keeps every batch until it is stored. When `backlog_bytes` are waiting, new
    batches are refused rather than old ones dropped.
    """
    js = client.jetstream()
    with _translated():
        await _ensure_stream(
            js,
            StreamConfig(
                name=_STREAM,
                subjects=[_SUBJECT],
                retention=RetentionPolicy.WORK_QUEUE,
                storage=StorageType.FILE,
                discard=DiscardPolicy.NEW,
                max_bytes=backlog_bytes,
                compression=StoreCompression.S2,
                duplicate_window=120.0,
            ),
        )
        await _ensure_stream(
            js,
            StreamConfig(
                name=_REJECTED_STREAM,
                subjects=[_REJECTED_SUBJECT],
                storage=StorageType.FILE,
                max_bytes=_MAX_REJECTED_BYTES,
            ),
        )
        await js.add_consumer(
            _STREAM,
            ConsumerConfig(
                durable_name=_CONSUMER,
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=_ACK_WAIT_S,
                max_ack_pending=_MAX_ACK_PENDING,
            ),
        )


async def _ensure_stream(js: JetStreamContext, config: StreamConfig) -> None:
    try:
        await js.add_stream(config)
    except nats.js.errors.BadRequestError as error:
        if error.err_code != _STREAM_ALREADY_EXISTS:
            raise
        await js.update_stream(config)


# What the driver raises when it could not do what was asked.
_FAILURES: tuple[type[Exception], ...] = (nats.errors.Error, OSError, TimeoutError)

#: Judges uses of the client for a circuit breaker. An `APIError` says nothing against the server:
#: it answered, and a full stream must not keep the workers from emptying it.
is_nats_away = exceptions(*_FAILURES, exclude=(nats.js.errors.APIError,))


class GuardedClient:
    """A NATS client behind a circuit breaker.

    Parameters
    ----------
    breaker : guards every use; its detector is `is_nats_away`.
    """

    def __init__(self, client: Client, breaker: Breaker | None = None) -> None:
        self.client = client
        self.js = client.jetstream()
        self._breaker = breaker or Breaker("nats", detector=is_nats_away)

    @asynccontextmanager
    async def guarded(self) -> AsyncIterator[None]:
        """One use of the client; what the driver raises becomes our error."""
        with _translated():
            async with self._breaker.guard():
                if not self.client.is_connected:
                    # It would buffer what is sent, and time out much later.
                    raise ConnectionError("NATS is not connected")
                yield


class JetStreamQueue:
    """`BatchQueue` that returns once JetStream has the batch on disk."""

    def __init__(self, client: GuardedClient, timeout_s: float = 5.0) -> None:
        self._client = client
        self._timeout_s = timeout_s

    async def put(self, batch: SampleBatch) -> None:
        """See `BatchQueue.put`."""
        async with self._client.guarded():
            await self._client.js.publish(
                _SUBJECT,
                encode_batch(batch),
                timeout=self._timeout_s,
                stream=_STREAM,
                headers={"Nats-Msg-Id": str(batch.batch_id)},
            )

    async def backlog(self) -> Backlog:
        """What waits to be stored."""
        async with self._client.guarded():
            info = await self._client.js.stream_info(_STREAM)
        limit = info.config.max_bytes or 0
        state = info.state
        return Backlog(state.messages, state.bytes, max(limit, 0), taken=state.last_seq)


class JetStreamSource:
    """`BatchSource` over the durable consumer that all workers share."""

    def __init__(self, client: GuardedClient) -> None:
        self._client = client
        self._subscription: JetStreamContext.PullSubscription | None = None

    async def take(self, limit: int, wait_s: float) -> list[JetStreamDelivery]:
        """See `BatchSource.take`. What is no batch is moved to a stream of its own."""
        async with self._client.guarded():
            messages = await self._fetch(limit, wait_s)
            deliveries = []
            for message in messages:
                try:
                    accepted = AcceptedBatch(decode_batch(message.data), _version(message))
                except AetherOpsError as reason:
                    await self._set_aside(message, reason)
                else:
                    deliveries.append(JetStreamDelivery(accepted, message, self._client))
        return deliveries

    async def _fetch(self, limit: int, wait_s: float) -> list[Msg]:
        if self._subscription is None:
            self._subscription = await self._client.js.pull_subscribe_bind(_CONSUMER, _STREAM)
        try:
            return await self._subscription.fetch(limit, timeout=wait_s)
        except TimeoutError:  # nats.errors.TimeoutError is one too
            return []

    async def _set_aside(self, message: Msg, reason: AetherOpsError) -> None:
        headers = {"Rejected-Because": json.dumps(str(reason))}
        await self._client.js.publish(_REJECTED_SUBJECT, message.data, headers=headers)
        await message.term()


@dataclass(frozen=True, slots=True, eq=False)
class JetStreamDelivery:
    """`Delivery` of one JetStream message."""

    accepted: AcceptedBatch
    _message: Msg
    _client: GuardedClient

    async def acknowledge(self) -> None:
        """See `Delivery.acknowledge`."""
        async with self._client.guarded():
            await self._message.ack()

    async def extend(self) -> None:
        """See `Delivery.extend`."""
        async with self._client.guarded():
            await self._message.in_progress()


def _version(message: Msg) -> int:
    """When JetStream took the message, in microseconds, and ten bits of its sequence.

    Time alone goes on across a stream that had to be made anew; the sequence orders what
    was taken within one microsecond.
    """
    metadata = message.metadata
    taken_us = round(metadata.timestamp.timestamp() * 1e6)
    return (taken_us << 10) | (metadata.sequence.stream & 1023)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except _FAILURES as error:
        raise UnavailableError("nats") from error
