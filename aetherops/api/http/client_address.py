"""Where a request comes from, where proxies that are trusted stand in between."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from starlette.types import ASGIApp, Receive, Scope, Send

__all__ = ["ClientAddress"]


class ClientAddress:
    """Names the client of a request that a trusted proxy hands on.

    Each proxy appends who spoke to it, so the chain is read from its end: the first address that
    is no trusted proxy's is the client's. What stands before it is the client's own word.

    Parameters
    ----------
    proxies : networks of the trusted proxies; with none, no header is read.
    header : the one that all of them set, ``x-forwarded-for`` or ``forwarded`` (RFC 7239).
        A proxy hands the other on as the client sent it, so it proves nothing.
    """

    def __init__(
        self, app: ASGIApp, proxies: Sequence[IPv4Network | IPv6Network], header: str
    ) -> None:
        self._app = app
        self._proxies = proxies
        self._header = header
        self._addresses = _forwarded if header == "forwarded" else _listed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._proxies and scope["type"] == "http" and scope.get("client"):
            host = scope["client"][0]
            client = self._client_of(host, Headers(scope=scope).getlist(self._header))
            if client != host:
                scope["client"] = (client, 0)
        await self._app(scope, receive, send)

    def _client_of(self, peer: str, fields: Sequence[str]) -> str:
        """The last address that is known for certain: where the chain breaks, a proxy's."""
        client = peer
        for text in reversed([*self._addresses(fields)]):
            if not self._is_proxy(client):
                break
            address = _parse(text)
            if address is None:
                break
            client = str(address)
        return client

    def _is_proxy(self, host: str) -> bool:
        address = _parse(host)
        return address is not None and any(address in network for network in self._proxies)


def _listed(fields: Iterable[str]) -> Iterator[str]:
    """The parts of ``X-Forwarded-For``, client first."""
    for value in fields:
        yield from value.split(",")


def _forwarded(fields: Iterable[str]) -> Iterator[str]:
    """The ``for`` of each element of ``Forwarded``, client first; empty where there is none."""
    for element in _listed(fields):
        pairs = (pair.partition("=") for pair in element.split(";"))
        named = [value for name, _, value in pairs if name.strip().lower() == "for"]
        yield named[0].strip().strip('"') if len(named) == 1 else ""


def _parse(text: str) -> IPv4Address | IPv6Address | None:
    """The address in ``192.0.2.1``, ``192.0.2.1:80``, ``2001:db8::1`` or ``[2001:db8::1]:80``."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # A socket for both families names IPv4 clients so; networks and limits know them as IPv4.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
