"""The queue's entrance: where accepted batches are kept before they are stored."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from nats.js.errors import APIError

from aetherops.archive.codec import encode_batch
from aetherops.archive.intake import Backlog, BacklogFullError, QueueCondition
from aetherops.archive.jetstream.streams import (
    CONSUMER,
    HEADER_ROOM,
    REJECTED_STREAM,
    STREAM,
    SUBJECT,
    always_room,
)
from aetherops.connections.nats_streams import stream_document
from aetherops.errors import LimitExceededError
from aetherops.instants import to_us

if TYPE_CHECKING:
    from collections.abc import Callable

    from aetherops.archive.samples import SampleBatch
    from aetherops.connections.nats import Nats

__all__ = ["JetStreamQueue"]

_NOT_STORED = 10077


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
        require_room: Callable[[], None] = always_room,
    ) -> None:
        self._nats = nats
        self._timeout_s = timeout_s
        self._require_room = require_room

    async def put(self, batch: SampleBatch) -> None:
        """See `BatchQueue.put`."""
        self._require_room()
        data = encode_batch(batch)
        self._check_size(data)
        async with self._nats.guarded():
            try:
                await self._nats.js.publish(
                    SUBJECT,
                    data,
                    timeout=self._timeout_s,
                    stream=STREAM,
                    headers={"Nats-Msg-Id": str(batch.batch_id)},
                )
            except APIError as error:
                if _is_full(error):
                    raise BacklogFullError from error
                raise

    async def backlog(self) -> Backlog:
        """What waits to be stored."""
        async with self._nats.guarded():
            return _backlog(await stream_document(self._nats, STREAM))

    async def condition(self) -> QueueCondition:
        """What waits, how it was delivered, and what was set aside."""
        async with self._nats.guarded():
            waiting = await stream_document(self._nats, STREAM)
            rejected = await self._nats.js.stream_info(REJECTED_STREAM)
            consumer = await self._nats.js.consumer_info(STREAM, CONSUMER)
        backlog = _backlog(waiting)
        return QueueCondition(
            backlog=backlog,
            oldest_us=_instant_us(waiting["state"]["first_ts"]) if backlog.batches else None,
            deliveries=consumer.delivered.consumer_seq if consumer.delivered else 0,
            redelivered=consumer.num_redelivered or 0,
            rejected=rejected.state.messages,
            rejections=rejected.state.last_seq,
        )

    def _check_size(self, data: bytes) -> None:
        """Refuse here, before a breaker sees it, what the server would end the connection for."""
        limit = self._nats.client.max_payload - HEADER_ROOM
        if self._nats.client.is_connected and len(data) > limit:
            what = "bytes of one batch in the queue (max_payload of NATS)"
            raise LimitExceededError(what, limit, len(data))


def _backlog(document: dict[str, Any]) -> Backlog:
    state, limit = document["state"], document["config"].get("max_bytes", 0)
    return Backlog(state["messages"], state["bytes"], max(limit, 0), taken=state["last_seq"])


def _instant_us(text: str) -> int:
    """Of a server's RFC 3339 time, whose nanoseconds are cut off."""
    return to_us(datetime.fromisoformat(text))


def _is_full(error: APIError) -> bool:
    """The stream's own limit refused it; the same code also tells of disks that cannot write."""
    return error.err_code == _NOT_STORED and "maximum" in (error.description or "")
