"""The streams that batches wait in, and the consumer that all workers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import NotFoundError

from aetherops.connections.nats_streams import (
    CLUSTER_REPLICAS,
    LIMIT_SET,
    ask,
    ensure_stream,
    tell_differences,
)

if TYPE_CHECKING:
    from aetherops.connections.nats import Nats

__all__ = [
    "CONSUMER",
    "HEADER_ROOM",
    "REJECTED_STREAM",
    "REJECTED_SUBJECT",
    "STREAM",
    "SUBJECT",
    "always_room",
    "prepare_streams",
]

STREAM, SUBJECT = "TELEMETRY", "telemetry.batch"
REJECTED_STREAM, REJECTED_SUBJECT = "TELEMETRY_REJECTED", "telemetry.rejected"
CONSUMER = "store"

#: What a message's headers may take of the server's `max_payload`, which counts them too.
HEADER_ROOM = 2_048

#: A worker that died has its batches delivered to another after this long.
_ACK_WAIT_S = 15.0
_MAX_ACK_PENDING = 4_096
_MAX_REJECTED_BYTES = 256 * 2**20
_SECOND_NS = 10**9


async def prepare_streams(nats: Nats, backlog_bytes: int, replicas: int | None = None) -> None:
    """Make the streams and the workers' shared consumer where they are missing.

    A work queue keeps every batch until it is stored. When `backlog_bytes` are waiting, new
    batches are refused rather than old ones dropped; nor are batches dropped that were set aside.

    Parameters
    ----------
    backlog_bytes : limits the queue. Changed later it is followed, unless the stream has been
        given another limit since.
    replicas : copies that JetStream keeps; three where it is a cluster of so many, else one,
        if None.

    Raises
    ------
    InvalidInputError
        The server cannot keep that much, or so many copies.
    """
    async with nats.guarded():
        for config in _streams(backlog_bytes, replicas or CLUSTER_REPLICAS):
            await ensure_stream(
                nats,
                config,
                may_keep_fewer=replicas is None,
                size_setting="AETHEROPS_INGEST_BACKLOG_BYTES",
            )
        await _ensure_consumer(nats)


def _streams(backlog_bytes: int, replicas: int) -> list[dict[str, Any]]:
    return [
        {
            "name": STREAM,
            "subjects": [SUBJECT],
            "retention": "workqueue",
            "storage": "file",
            "discard": "new",
            "max_bytes": backlog_bytes,
            "compression": "s2",
            "duplicate_window": 120 * _SECOND_NS,
            "num_replicas": replicas,
            "metadata": {LIMIT_SET: str(backlog_bytes)},
        },
        {
            "name": REJECTED_STREAM,
            "subjects": [REJECTED_SUBJECT],
            "retention": "limits",
            "storage": "file",
            "discard": "new",
            "max_bytes": _MAX_REJECTED_BYTES,
            "num_replicas": replicas,
        },
    ]


def always_room() -> None:
    """The servers' disk is not ours to watch."""


async def _ensure_consumer(nats: Nats) -> None:
    config = ConsumerConfig(
        durable_name=CONSUMER,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=_ACK_WAIT_S,
        max_ack_pending=_MAX_ACK_PENDING,
    )
    try:
        present = (await ask(nats, f"CONSUMER.INFO.{STREAM}.{CONSUMER}"))["config"]
    except NotFoundError:
        await nats.js.add_consumer(STREAM, config)
        return
    wanted = {
        "ack_policy": "explicit",
        "ack_wait": int(_ACK_WAIT_S * _SECOND_NS),
        "max_ack_pending": _MAX_ACK_PENDING,
    }
    tell_differences(f"{STREAM} > {CONSUMER}", present, wanted)
