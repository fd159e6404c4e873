"""Publication on JetStream: the stream's own sequence is how far it has come.

An event's sequence in the stream is its position in the store. Each is published on the condition
that the one before it is the stream's last, so two publishers at once publish nothing twice and
nothing out of order, and no account of it is kept anywhere else.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson
from nats.js.errors import APIError

from aetherops.connections.nats_streams import CLUSTER_REPLICAS, ensure_stream, stream_document
from aetherops.workflow.publication import SUBJECT_PREFIX, event_document, subject_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.connections.nats import Nats
    from aetherops.workflow.events.base import WorkflowEvent

__all__ = ["STREAM", "JetStreamPublisher", "prepare_workflow_stream"]

STREAM = "WORKFLOWS"
# So many wait for their acknowledgement at once.
_WINDOW = 256
_WRONG_LAST_SEQUENCE = 10071
_SECOND_NS = 10**9


async def prepare_workflow_stream(nats: Nats, max_bytes: int, replicas: int | None = None) -> None:
    """Make the stream where it is missing. It drops its oldest events for new ones.

    Parameters
    ----------
    max_bytes : the most that it keeps.
    replicas : copies that JetStream keeps; three in a cluster of so many, else one, if None.

    Raises
    ------
    InvalidInputError
        The server cannot keep that much, or so many copies.
    """
    config = {
        "name": STREAM,
        "subjects": [f"{SUBJECT_PREFIX}.*"],
        "retention": "limits",
        "storage": "file",
        "discard": "old",
        "max_bytes": max_bytes,
        "compression": "s2",
        "duplicate_window": 120 * _SECOND_NS,
        "num_replicas": replicas or CLUSTER_REPLICAS,
    }
    async with nats.guarded():
        await ensure_stream(
            nats,
            config,
            may_keep_fewer=replicas is None,
            size_setting="AETHEROPS_WORKFLOW_STREAM_BYTES",
        )


class JetStreamPublisher:
    """`EventPublisher` on the stream ``WORKFLOWS``.

    Parameters
    ----------
    timeout_s : limit on one acknowledgement.
    """

    def __init__(self, nats: Nats, timeout_s: float = 5.0) -> None:
        self._nats = nats
        self._timeout_s = timeout_s

    async def last_position(self) -> int:
        """See `EventPublisher.last_position`."""
        async with self._nats.guarded():
            return int((await stream_document(self._nats, STREAM))["state"]["last_seq"])

    async def publish(self, events: Sequence[WorkflowEvent]) -> int:
        """See `EventPublisher.publish`."""
        published = 0
        for start in range(0, len(events), _WINDOW):
            window = events[start : start + _WINDOW]
            taken = await self._publish_window(window)
            published += taken
            if taken < len(window):
                break  # another publishes too
        return published

    async def _publish_window(self, events: Sequence[WorkflowEvent]) -> int:
        async with self._nats.guarded():
            # Sent in this order on one connection. After one that is refused, so are all others.
            outcomes = await asyncio.gather(*map(self._publish_one, events), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException) and not _is_overtaken(outcome):
                raise outcome
        return outcomes.count(True)

    async def _publish_one(self, event: WorkflowEvent) -> bool:
        """Whether the stream has it from us, and not from another publisher."""
        assert event.position is not None
        acknowledgement = await self._nats.js.publish(
            subject_of(event.workflow_id),
            orjson.dumps(event_document(event), default=str),
            timeout=self._timeout_s,
            stream=STREAM,
            headers={
                "Nats-Msg-Id": str(event.event_id),
                "Nats-Expected-Last-Sequence": str(event.position - 1),
            },
        )
        return not acknowledgement.duplicate


def _is_overtaken(error: BaseException) -> bool:
    """Whether another publisher was faster with an event."""
    return isinstance(error, APIError) and error.err_code == _WRONG_LAST_SEQUENCE
