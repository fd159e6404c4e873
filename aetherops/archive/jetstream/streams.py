"""The streams that batches wait in, and the consumer that all workers share.

They belong to whoever runs the servers. What is missing is made; what is there is left as it is,
and where it differs from what would have been made, that is told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import structlog
from nats.js.api import AckPolicy, ConsumerConfig
from nats.js.errors import APIError, NotFoundError

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    "stream_document",
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
_TIMEOUT_S = 10.0
_CLUSTER_REPLICAS = 3
#: What the backlog was limited to when it was last set from here; an operator's limit is another.
_LIMIT_SET = "aetherops-max-bytes"
#: Versions that set the limit at every start left no note; this was its default.
_FORMER_LIMIT = 4 * 2**30
_NO_PEERS, _NOT_A_CLUSTER = 10005, 10074
_NO_ROOM = (10023, 10028, 10047)

_log = structlog.get_logger(__name__)


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
        for config in _streams(backlog_bytes, replicas or _CLUSTER_REPLICAS):
            await _ensure_stream(nats, config, may_keep_fewer=replicas is None)
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
            "metadata": {_LIMIT_SET: str(backlog_bytes)},
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


async def stream_document(nats: Nats, stream: str) -> dict[str, Any]:
    """What the server says of a stream, whole: the driver leaves out what it does not know.

    Runs inside a guarded use of `nats`.
    """
    return await _ask(nats, f"STREAM.INFO.{stream}")


async def _ask(nats: Nats, what: str, content: object = None) -> dict[str, Any]:
    body = b"" if content is None else json.dumps(content).encode()
    answer = await nats.client.request(f"$JS.API.{what}", body, timeout=_TIMEOUT_S)
    document: dict[str, Any] = json.loads(answer.data)
    if "error" in document:
        APIError.from_error(document["error"])
    return document


async def _ensure_stream(nats: Nats, config: dict[str, Any], *, may_keep_fewer: bool) -> None:
    name = config["name"]
    try:
        document = await stream_document(nats, name)
    except NotFoundError:
        await _create(nats, config, may_keep_fewer=may_keep_fewer)
        return
    present = document["config"]
    if may_keep_fewer and "name" not in document.get("cluster", {}):
        config = {**config, "num_replicas": 1}  # the server is no cluster
    if "metadata" in config and _is_ours(present, config):
        note = {**present.get("metadata", {}), **config["metadata"]}
        present = {**present, "max_bytes": config["max_bytes"], "metadata": note}
        try:
            await _ask(nats, f"STREAM.UPDATE.{name}", present)
        except APIError as error:
            if error.err_code in _NO_ROOM:
                raise _no_room(config) from error
            raise
        _log.info("backlog_limited", stream=name, bytes=config["max_bytes"])
    _tell_differences(name, present, config)


def _is_ours(present: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Whether the limit is another than now wanted, and was set from here."""
    set_here = int(present.get("metadata", {}).get(_LIMIT_SET, _FORMER_LIMIT))
    limit: int = present["max_bytes"]
    wanted: int = config["max_bytes"]
    return limit == set_here and limit != wanted


async def _create(nats: Nats, config: dict[str, Any], *, may_keep_fewer: bool) -> None:
    name, replicas = config["name"], config["num_replicas"]
    try:
        await _ask(nats, f"STREAM.CREATE.{name}", config)
    except APIError as error:
        if error.err_code in (_NO_PEERS, _NOT_A_CLUSTER) and replicas > 1:
            if not may_keep_fewer:
                expected = f"as many as the cluster has servers for ({error.description})"
                raise InvalidInputError("AETHEROPS_NATS_REPLICAS", replicas, expected) from error
            await _create(nats, {**config, "num_replicas": 1}, may_keep_fewer=False)
            return
        if error.err_code in (*_NO_ROOM, _NO_PEERS):
            raise _no_room(config) from error
        raise
    _log.info("stream_created", stream=name, replicas=replicas, bytes=config["max_bytes"])


def _no_room(config: Mapping[str, Any]) -> InvalidInputError:
    return InvalidInputError(
        "AETHEROPS_INGEST_BACKLOG_BYTES",
        config["max_bytes"],
        f"no more than JetStream has left for the stream {config['name']}: "
        "set less, or raise max_file_store of your NATS",
    )


async def _ensure_consumer(nats: Nats) -> None:
    config = ConsumerConfig(
        durable_name=CONSUMER,
        ack_policy=AckPolicy.EXPLICIT,
        ack_wait=_ACK_WAIT_S,
        max_ack_pending=_MAX_ACK_PENDING,
    )
    try:
        present = (await _ask(nats, f"CONSUMER.INFO.{STREAM}.{CONSUMER}"))["config"]
    except NotFoundError:
        await nats.js.add_consumer(STREAM, config)
        return
    wanted = {
        "ack_policy": "explicit",
        "ack_wait": int(_ACK_WAIT_S * _SECOND_NS),
        "max_ack_pending": _MAX_ACK_PENDING,
    }
    _tell_differences(f"{STREAM} > {CONSUMER}", present, wanted)


def _tell_differences(name: str, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Tell of what is there and is not as it would have been made."""
    differences = {
        field: present.get(field)
        for field in wanted
        if field != "metadata" and present.get(field) != wanted[field]
    }
    if differences:
        usual = {field: wanted[field] for field in differences}
        _log.warning("settings_not_changed", of=name, found=differences, usual=usual)
