"""Streams of JetStream: made where they are missing, and left as they are where they are there.

They belong to whoever runs the servers: where one differs from what would have been made, that is
told.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import structlog
from nats.js.errors import APIError, NotFoundError

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.connections.nats import Nats

__all__ = [
    "CLUSTER_REPLICAS",
    "LIMIT_SET",
    "ask",
    "ensure_stream",
    "stream_document",
    "tell_differences",
]

#: Copies that are kept where nothing is set and the server is a cluster.
CLUSTER_REPLICAS = 3
#: In a stream's metadata: what its size was limited to when it was last set from here; an
#: operator's limit is another.
LIMIT_SET = "aetherops-max-bytes"
#: Versions that set the limit at every start left no note; this was its default.
_FORMER_LIMIT = 4 * 2**30
_TIMEOUT_S = 10.0
_NO_PEERS, _NOT_A_CLUSTER = 10005, 10074
_NO_ROOM = (10023, 10028, 10047)

_log = structlog.get_logger(__name__)


async def stream_document(nats: Nats, stream: str) -> dict[str, Any]:
    """What the server says of a stream, whole: the driver leaves out what it does not know.

    Runs inside a guarded use of `nats`.
    """
    return await ask(nats, f"STREAM.INFO.{stream}")


async def ask(nats: Nats, what: str, content: object = None) -> dict[str, Any]:
    """What JetStream's API answers; raises `APIError`. Runs inside a guarded use of `nats`."""
    body = b"" if content is None else json.dumps(content).encode()
    answer = await nats.client.request(f"$JS.API.{what}", body, timeout=_TIMEOUT_S)
    document: dict[str, Any] = json.loads(answer.data)
    if "error" in document:
        APIError.from_error(document["error"])
    return document


async def ensure_stream(
    nats: Nats, config: dict[str, Any], *, may_keep_fewer: bool, size_setting: str
) -> None:
    """Make a stream where it is missing; runs inside a guarded use of `nats`.

    Parameters
    ----------
    config : as JetStream's API takes it. One with `LIMIT_SET` in its metadata has its size changed
        later, unless an operator has set another.
    may_keep_fewer : whether one copy will do where the server is no cluster.
    size_setting : the setting that its size comes from.

    Raises
    ------
    InvalidInputError
        The server cannot keep that much, or so many copies.
    """
    name = config["name"]
    try:
        document = await stream_document(nats, name)
    except NotFoundError:
        await _create(nats, config, size_setting, may_keep_fewer=may_keep_fewer)
        return
    present = document["config"]
    if may_keep_fewer and "name" not in document.get("cluster", {}):
        config = {**config, "num_replicas": 1}  # the server is no cluster
    if "metadata" in config and _is_ours(present, config):
        note = {**present.get("metadata", {}), **config["metadata"]}
        present = {**present, "max_bytes": config["max_bytes"], "metadata": note}
        try:
            await ask(nats, f"STREAM.UPDATE.{name}", present)
        except APIError as error:
            if error.err_code in _NO_ROOM:
                raise _no_room(config, size_setting) from error
            raise
        _log.info("backlog_limited", stream=name, bytes=config["max_bytes"])
    tell_differences(name, present, config)


def _is_ours(present: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    """Whether the limit is another than now wanted, and was set from here."""
    set_here = int(present.get("metadata", {}).get(LIMIT_SET, _FORMER_LIMIT))
    limit: int = present["max_bytes"]
    wanted: int = config["max_bytes"]
    return limit == set_here and limit != wanted


async def _create(
    nats: Nats, config: dict[str, Any], size_setting: str, *, may_keep_fewer: bool
) -> None:
    name, replicas = config["name"], config["num_replicas"]
    try:
        await ask(nats, f"STREAM.CREATE.{name}", config)
    except APIError as error:
        if error.err_code in (_NO_PEERS, _NOT_A_CLUSTER) and replicas > 1:
            if not may_keep_fewer:
                expected = f"as many as the cluster has servers for ({error.description})"
                raise InvalidInputError("AETHEROPS_NATS_REPLICAS", replicas, expected) from error
            await _create(nats, {**config, "num_replicas": 1}, size_setting, may_keep_fewer=False)
            return
        if error.err_code in (*_NO_ROOM, _NO_PEERS):
            raise _no_room(config, size_setting) from error
        raise
    _log.info("stream_created", stream=name, replicas=replicas, bytes=config["max_bytes"])


def _no_room(config: Mapping[str, Any], size_setting: str) -> InvalidInputError:
    return InvalidInputError(
        size_setting,
        config["max_bytes"],
        f"no more than JetStream has left for the stream {config['name']}: "
        "set less, or raise max_file_store of your NATS",
    )


def tell_differences(name: str, present: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    """Tell of what is there and is not as it would have been made."""
    differences = {
        field: present.get(field)
        for field in wanted
        if field != "metadata" and present.get(field) != wanted[field]
    }
    if differences:
        usual = {field: wanted[field] for field in differences}
        _log.warning("settings_not_changed", of=name, found=differences, usual=usual)
