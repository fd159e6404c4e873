"""Reads an identity provider's key set over HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx

from aetherops.errors import InvalidInputError, UnavailableError

if TYPE_CHECKING:
    from aetherops.resilience import Breaker

__all__ = ["ProviderEndpoint"]

_TIMEOUT_S = 5.0
_MAX_BYTES = 256 * 1024
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class ProviderEndpoint:
    """Where a provider publishes its keys, behind a circuit breaker.

    Parameters
    ----------
    url : of the key set; ``https``, or ``http`` on this machine.
    breaker : keeps calls from a provider that does not answer.

    Raises
    ------
    InvalidInputError
        The address is not one that keys may be read from.
    """

    def __init__(self, url: str, breaker: Breaker) -> None:
        try:
            address = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise InvalidInputError("jwks_url", url, "an https address") from error
        on_this_machine = address.scheme == "http" and address.host in _LOOPBACK
        if not address.host or not (address.scheme == "https" or on_this_machine):
            raise InvalidInputError("jwks_url", url, "an https address")
        self._url = address
        self._breaker = breaker
        # A redirect could lead to keys of somebody else's.
        self._client = httpx.AsyncClient(timeout=_TIMEOUT_S, follow_redirects=False)

    async def read(self) -> bytes:
        """The document as it is now.

        Raises
        ------
        UnavailableError
            There is no whole answer in time, or none but an error.
        """
        try:
            return await self._breaker.call_async(self._fetch)
        except (httpx.HTTPError, TimeoutError) as error:
            raise UnavailableError("jwks") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _fetch(self) -> bytes:
        document = bytearray()
        async with asyncio.timeout(_TIMEOUT_S), self._client.stream("GET", self._url) as answer:
            answer.raise_for_status()
            async for part in answer.aiter_bytes():
                document += part
                if len(document) > _MAX_BYTES:
                    raise UnavailableError("jwks")
        return bytes(document)
