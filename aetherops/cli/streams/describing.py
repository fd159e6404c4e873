"""``aetherops streams set``: the unit and the kind of a stream, changed on purpose."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aetherops.archive.stream import StreamName
from aetherops.cli.client import Client

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.cli.connection import Connection

__all__ = ["described"]


def described(name: str, given: Mapping[str, str], connection: Connection) -> dict[str, Any]:
    """Change what is said of a stream, and return what then is.

    Parameters
    ----------
    given : ``unit``, ``kind`` or both.
    """
    path = f"/v1/streams/{StreamName.parse(name)}"

    async def change() -> dict[str, Any]:
        async with Client(connection) as client:
            return await client.patch(path, given)

    return asyncio.run(change())
