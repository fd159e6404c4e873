"""The HTTP interface of an instance, from the outside."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

import httpx
import orjson

from aetherops.archive.store import Receipt
from aetherops.cli.outcome import FaultFoundError, ServerBusyError, ServerRefusedError
from aetherops.errors import LimitExceededError, UnreachableError
from aetherops.resilience import Retry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from aetherops.archive.samples import SampleBatch
    from aetherops.cli.connection import Connection

__all__ = ["Client"]

_TIMEOUT = httpx.Timeout(30.0, connect=5.0)
_PATIENCE_S = 60.0
_TRY_AGAIN = frozenset({429, 502, 503, 504})


class Client:
    """Talks to one instance; an asynchronous context manager.

    Parameters
    ----------
    connection : where, and with which token.
    patience_s : how long a batch that the server cannot take now is offered again.
    transport : another way to reach the application than the network.
    """

    def __init__(
        self,
        connection: Connection,
        *,
        patience_s: float = _PATIENCE_S,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url = connection.url
        self._retry = Retry(
            attempts=None,
            patience_s=patience_s,
            base_ms=100,
            cap_ms=5_000,
            jitter=0.25,
            on=(UnreachableError, ServerBusyError),
            asked_s=_asked_s,
        )
        self._http = httpx.AsyncClient(
            base_url=connection.url,
            headers={"Authorization": f"Bearer {connection.token}"},
            timeout=_TIMEOUT,
            transport=transport,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._http.aclose()

    async def send(self, batch: SampleBatch) -> None:
        """Have a batch accepted; tried again under the same id, so that it counts once.

        Raises
        ------
        LimitExceededError
            It is more than the server takes at once.
        UnreachableError, ServerBusyError
            The server was not able to take it for as long as the client's patience.
        FaultFoundError
            It says another unit or kind than one of its streams has.
        ServerRefusedError
            The server does not want it.
        """
        from aetherops.archive.codec import MEDIA_TYPE, encode_batch  # needs numpy: not to ask

        body = encode_batch(batch)

        async def offer() -> None:
            self._check(await self._post("/v1/telemetry", body, MEDIA_TYPE))

        await self._retry.call_async(offer)

    async def receipts(self, batch_ids: Sequence[UUID]) -> list[Receipt]:
        """Receipts of those batches, at most 1,000, that are stored by now."""
        asked = {"batches": [str(batch_id) for batch_id in batch_ids]}
        response = await self._post_json("/v1/receipts", asked)
        self._check(response)
        document = self._read_json(response)
        return [
            Receipt(
                UUID(r["batch"]), r["stored"], r["duplicates"], r["corrected"], r.get("refused")
            )
            for r in document["receipts"]
        ]

    async def ask(self, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
        """A GraphQL response: ``data`` and, where something failed, ``errors``."""
        response = await self._post_json("/graphql", {"query": query, "variables": variables})
        answer = self._read_json(response)
        if "errors" not in answer:
            self._check(response)
        return answer

    async def get(self, path: str) -> dict[str, Any]:
        """The document at a path."""
        response = await self._request("GET", path)
        self._check(response)
        return self._read_json(response)

    async def change(self, method: str, path: str) -> None:
        """Have something done to what stands at a path."""
        self._check(await self._request(method, path))

    async def patch(self, path: str, document: Mapping[str, object]) -> dict[str, Any]:
        """Change what stands at a path, and return what then is."""
        headers = {"Content-Type": "application/json"}
        response = await self._request("PATCH", path, orjson.dumps(document), headers)
        if response.status_code in (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND):
            raise FaultFoundError(_message(response))
        self._check(response)
        return self._read_json(response)

    async def _post_json(self, path: str, document: Mapping[str, object]) -> httpx.Response:
        return await self._post(path, orjson.dumps(document), "application/json")

    def _read_json(self, response: httpx.Response) -> dict[str, Any]:
        try:
            answer = orjson.loads(response.content)
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict):
            self._check(response)
            raise ServerRefusedError(f"{self._url}: the answer is no JSON object")
        return answer

    async def _post(self, path: str, body: bytes, media_type: str) -> httpx.Response:
        return await self._request("POST", path, body, {"Content-Type": media_type})

    async def _request(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        try:
            return await self._http.request(method, path, content=body, headers=headers)
        except httpx.TimeoutException as error:
            raise UnreachableError("platform", self._url, "no answer in time") from error
        except httpx.HTTPError as error:
            raise UnreachableError("platform", self._url, error) from error

    def _check(self, response: httpx.Response) -> None:
        if response.status_code in _TRY_AGAIN:
            raise ServerBusyError(f"{self._url}: {_message(response)}", _retry_after_s(response))
        if response.status_code == HTTPStatus.CONFLICT:
            raise FaultFoundError(_message(response))
        if response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            _raise_limit(response)
        if not response.is_success:
            raise ServerRefusedError(
                f"{self._url} refused ({response.status_code}): {_message(response)}"
            )


def _raise_limit(response: httpx.Response) -> None:
    """Raise the limit that the server tells, if it tells one."""
    try:
        error = response.json()["error"]
        limit = LimitExceededError(str(error["what"]), int(error["limit"]), int(error["asked"]))
    except (ValueError, KeyError, TypeError):
        return
    raise limit


def _message(response: httpx.Response) -> str:
    """The server's own words where it is ours, else the name of the status."""
    try:
        document = response.json()
        return str((document.get("error") or document["errors"][0])["message"])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return response.reason_phrase or f"status {response.status_code}"


def _asked_s(error: Exception) -> float | None:
    return error.retry_after_s if isinstance(error, ServerBusyError) else None


def _retry_after_s(response: httpx.Response) -> float | None:
    """Seconds that the server asks to wait, at most a minute; a date is not waited for."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), 60.0) if text.isdecimal() else None
