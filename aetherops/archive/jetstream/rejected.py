"""Batches that could not be stored: kept in a stream of their own until an operator decides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import structlog
from nats.js.errors import NotFoundError as NoMessageError

from aetherops.archive.intake import RejectedBatch
from aetherops.archive.jetstream.streams import (
    HEADER_ROOM,
    REJECTED_STREAM,
    REJECTED_SUBJECT,
    STREAM,
    SUBJECT,
)
from aetherops.errors import NotFoundError
from aetherops.instants import to_us

if TYPE_CHECKING:
    from nats.aio.msg import Msg
    from nats.js.api import RawStreamMsg

    from aetherops.connections.nats import Nats

__all__ = ["JetStreamRejected", "kept_version", "set_aside"]

# The place in the order of acceptance that a batch had before it was set aside.
_VERSION_HEADER = "Accepted-Version"
_REASON_HEADER = "Rejected-Because"
_REASON_CHARACTERS = 500

_log = structlog.get_logger(__name__)


async def set_aside(nats: Nats, message: Msg, version: int, reason: str) -> None:
    """Keep a message apart with the reason, and only then end its deliveries.

    Runs inside a guarded use of `nats`. A worker that dies between the two leaves it to another,
    and the message id keeps it from lying there twice.
    """
    headers = {
        _REASON_HEADER: json.dumps(_short(reason)),
        _VERSION_HEADER: str(version),
        # One that was replayed and is set aside again is another message of the same version.
        "Nats-Msg-Id": f"rejected-{version}-{message.metadata.sequence.stream}",
    }
    # Another program may have published what leaves no room for headers.
    fits = len(message.data) + HEADER_ROOM <= nats.client.max_payload
    await nats.js.publish(
        REJECTED_SUBJECT,
        message.data,
        stream=REJECTED_STREAM if fits else None,
        headers=headers if fits else None,
    )
    await message.term()
    _log.error(
        "batch_rejected",
        version=version,
        deliveries=message.metadata.num_delivered,
        reason=_short(reason),
    )


def kept_version(message: Msg) -> int | None:
    """The version that a batch had before it was set aside and replayed."""
    kept = (message.headers or {}).get(_VERSION_HEADER, "")
    return int(kept) if kept.isdecimal() and int(kept) < 2**63 else None


class JetStreamRejected:
    """`RejectedBatches` in JetStream: an id is the sequence in the stream of rejected batches."""

    def __init__(self, nats: Nats) -> None:
        self._nats = nats

    async def count(self) -> int:
        """See `RejectedBatches.count`."""
        async with self._nats.guarded():
            return (await self._nats.js.stream_info(REJECTED_STREAM)).state.messages

    async def list(self, after: int = 0, limit: int = 100) -> list[RejectedBatch]:
        """See `RejectedBatches.list`."""
        found: list[RejectedBatch] = []
        async with self._nats.guarded():
            while len(found) < limit:
                try:
                    message = await self._nats.js.get_msg(
                        REJECTED_STREAM, seq=after + 1, subject=REJECTED_SUBJECT, next=True
                    )
                except NoMessageError:
                    break
                found.append(_rejected(message))
                after = found[-1].rejected_id
        return found

    async def get(self, rejected_id: int) -> RejectedBatch:
        """See `RejectedBatches.get`."""
        return _rejected(await self._message(rejected_id))

    async def replay(self, rejected_id: int) -> None:
        """See `RejectedBatches.replay`."""
        message = await self._message(rejected_id)
        # Not the batch's own id: the queue may remember that, and would swallow it.
        headers = {"Nats-Msg-Id": f"replayed-{rejected_id}-{_moment_us(message)}"}
        if message.headers and _VERSION_HEADER in message.headers:
            headers[_VERSION_HEADER] = message.headers[_VERSION_HEADER]
        async with self._nats.guarded():
            await self._nats.js.publish(
                SUBJECT, message.data or b"", stream=STREAM, headers=headers
            )
        await self.drop(rejected_id)

    async def drop(self, rejected_id: int) -> None:
        """See `RejectedBatches.drop`."""
        await self._message(rejected_id)
        async with self._nats.guarded():
            await self._nats.js.delete_msg(REJECTED_STREAM, rejected_id)

    async def _message(self, rejected_id: int) -> RawStreamMsg:
        async with self._nats.guarded():
            try:
                return await self._nats.js.get_msg(REJECTED_STREAM, seq=rejected_id)
            except NoMessageError:
                raise NotFoundError("rejected batch", str(rejected_id)) from None


def _rejected(message: RawStreamMsg) -> RejectedBatch:
    reason = (message.headers or {}).get(_REASON_HEADER)
    return RejectedBatch(
        message.seq or 0,
        _moment_us(message),
        json.loads(reason) if reason else "not told: the batch left no room for it",
        message.data or b"",
    )


def _moment_us(message: RawStreamMsg) -> int:
    return 0 if message.time is None else to_us(message.time)


def _short(reason: str) -> str:
    """On one line of ASCII: a header has no other, and its escapes are counted."""
    line = " ".join(reason.split()).encode("ascii", "backslashreplace").decode()
    return line if len(line) <= _REASON_CHARACTERS else f"{line[: _REASON_CHARACTERS - 3]}..."
