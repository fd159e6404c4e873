"""Accepted batches in NATS JetStream: durable once acknowledged, delivered until stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DiscardPolicy,
    RetentionPolicy,
    StorageType,
    StoreCompression,
    StreamConfig,
)
from nats.js.errors import APIError, BadRequestError

from aetherops.archive.codec import decode_accepted_batch, encode_batch
from aetherops.archive.intake import Backlog, BacklogFullError
from aetherops.archive.store import AcceptedBatch
from aetherops.errors import AetherOpsError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

    from aetherops.archive.samples import SampleBatch
    from aetherops.connections.nats import Nats

__all__ = ["JetStreamQueue", "JetStreamSource", "prepare_streams"]

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
_NOT_STORED = 10077
_NO_STORAGE_LEFT = 10047


async def prepare_streams(nats: Nats, backlog_bytes: int) -> None:
    """Create or update the streams and the workers' shared consumer.

    A work queue keeps every batch until it is stored. When `backlog_bytes` are waiting, new
    batches are refused rather than old ones dropped.
    """
    js = nats.js
    async with nats.guarded():
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
        try:
            await js.add_stream(config)
        except BadRequestError as error:
            if error.err_code != _STREAM_ALREADY_EXISTS:
                raise
            await js.update_stream(config)
    except APIError as error:
        if error.err_code != _NO_STORAGE_LEFT:
            raise
        raise InvalidInputError(
            "AETHEROPS_INGEST_BACKLOG_BYTES",
            config.max_bytes,
            f"no more than JetStream has left for the stream {config.name}: "
            "set less, or raise max_file_store of your NATS",
        ) from error


def _always_room() -> None:
    """The servers' disk is not ours to watch."""


class JetStreamQueue:
    """`BatchQueue` that returns once JetStream has the batch on disk.

    Parameters
    ----------
    timeout_s : limit on one acknowledgement.
    require_room : raises `UnavailableError` where no more is to be written.
    """

    def __init__(
        self,
        nats: Nats,
        timeout_s: float = 5.0,
        require_room: Callable[[], None] = _always_room,
    ) -> None:
        self._nats = nats
        self._timeout_s = timeout_s
        self._require_room = require_room

    async def put(self, batch: SampleBatch) -> None:
        """See `BatchQueue.put`."""
        self._require_room()
        async with self._nats.guarded():
            try:
                await self._nats.js.publish(
                    _SUBJECT,
                    encode_batch(batch),
                    timeout=self._timeout_s,
                    stream=_STREAM,
                    headers={"Nats-Msg-Id": str(batch.batch_id)},
                )
            except APIError as error:
                if _is_full(error):
                    raise BacklogFullError from error
                raise

    async def backlog(self) -> Backlog:
        """What waits to be stored."""
        async with self._nats.guarded():
            info = await self._nats.js.stream_info(_STREAM)
        limit = info.config.max_bytes or 0
        state = info.state
        return Backlog(state.messages, state.bytes, max(limit, 0), taken=state.last_seq)


class JetStreamSource:
    """`BatchSource` over the durable consumer that all workers share.

    Parameters
    ----------
    require_room : raises `UnavailableError` where what is taken could not be stored.
    """

    def __init__(self, nats: Nats, require_room: Callable[[], None] = _always_room) -> None:
        self._nats = nats
        self._require_room = require_room
        self._subscription: JetStreamContext.PullSubscription | None = None

    async def take(self, limit: int, wait_s: float) -> list[JetStreamDelivery]:
        """See `BatchSource.take`. What is no batch is moved to a stream of its own."""
        self._require_room()
        async with self._nats.guarded():
            messages = await self._fetch(limit, wait_s)
            deliveries = []
            for message in messages:
                try:
                    batch = decode_accepted_batch(message.data)
                except AetherOpsError as reason:
                    await self._set_aside(message, reason)
                else:
                    accepted = AcceptedBatch(batch, _version(message))
                    deliveries.append(JetStreamDelivery(accepted, message, self._nats))
        return deliveries

    async def _fetch(self, limit: int, wait_s: float) -> list[Msg]:
        if self._subscription is None:
            self._subscription = await self._nats.js.pull_subscribe_bind(_CONSUMER, _STREAM)
        try:
            return await self._subscription.fetch(limit, timeout=wait_s)
        except TimeoutError:  # nats.errors.TimeoutError is one too
            return []

    async def _set_aside(self, message: Msg, reason: AetherOpsError) -> None:
        headers = {"Rejected-Because": json.dumps(str(reason))}
        await self._nats.js.publish(_REJECTED_SUBJECT, message.data, headers=headers)
        await message.term()


@dataclass(frozen=True, slots=True, eq=False)
class JetStreamDelivery:
    """`Delivery` of one JetStream message."""

    accepted: AcceptedBatch
    _message: Msg
    _nats: Nats

    async def acknowledge(self) -> None:
        """See `Delivery.acknowledge`."""
        async with self._nats.guarded():
            await self._message.ack()

    async def extend(self) -> None:
        """See `Delivery.extend`."""
        async with self._nats.guarded():
            await self._message.in_progress()


def _version(message: Msg) -> int:
    """When JetStream took the message, in microseconds, and ten bits of its sequence.

    Time alone goes on across a stream that had to be made anew; the sequence orders what
    was taken within one microsecond.
    """
    metadata = message.metadata
    taken_us = round(metadata.timestamp.timestamp() * 1e6)
    return (taken_us << 10) | (metadata.sequence.stream & 1023)


def _is_full(error: APIError) -> bool:
    """The stream's own limit refused it; the same code also tells of disks that cannot write."""
    return error.err_code == _NOT_STORED and "maximum" in (error.description or "")
