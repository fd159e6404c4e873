"""GraphQL over a client: data, or the error that a response means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aetherops.cli.outcome import FaultFoundError, ServerBusyError, ServerRefusedError
from aetherops.errors import (
    AetherOpsError,
    LimitExceededError,
    NotFoundError,
    UnreachableError,
)
from aetherops.resilience import Retry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.cli.client import Client

__all__ = ["data_of", "data_with_patience"]


def _asked_s(error: Exception) -> float | None:
    return error.retry_after_s if isinstance(error, ServerBusyError) else None


_RETRY = Retry(
    attempts=None,
    patience_s=60.0,
    base_ms=200,
    jitter=0.25,
    on=(UnreachableError, ServerBusyError),
    asked_s=_asked_s,
)


async def data_of(client: Client, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
    """The data of a response without errors."""
    response = await client.ask(query, variables)
    if response.get("errors"):
        raise _error_of(response["errors"][0])
    data: dict[str, Any] = response["data"]
    return data


async def data_with_patience(
    client: Client, query: str, variables: Mapping[str, object]
) -> dict[str, Any]:
    """The same, asked again for a minute while the server is away or wants a pause."""
    return await _RETRY.call_async(data_of, client, query, variables)


def _error_of(error: Mapping[str, Any]) -> AetherOpsError:
    extensions = error.get("extensions", {})
    message = str(error.get("message"))
    match extensions:
        case {"code": "NOT_FOUND", "knownSince": _} | {"code": "CONFLICT"}:
            return FaultFoundError(message)
        case {"code": "NOT_FOUND"}:
            return NotFoundError(str(extensions.get("kind")), str(extensions.get("name")))
        case {
            "code": "LIMIT_EXCEEDED",
            "what": str(what),
            "limit": int(limit),
            "asked": int(asked),
        }:
            return LimitExceededError(what, limit, asked)
        case {"code": "BAD_INPUT" | "LIMIT_EXCEEDED"}:
            return FaultFoundError(message)
        case {"code": "UNAVAILABLE" | "THROTTLED", "retryAfter": int() | float() as seconds}:
            return ServerBusyError(message, float(seconds))
        case {"code": "UNAVAILABLE" | "THROTTLED" | "TIMED_OUT"}:
            return ServerBusyError(message)
    return ServerRefusedError(message)
