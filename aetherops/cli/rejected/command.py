"""What ``aetherops rejected`` asks the platform, and how it shows the answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import orjson

from aetherops.cli.client import Client

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.cli.connection import Connection

__all__ = [
    "drop_rejected",
    "json_text",
    "list_rejected",
    "replay_rejected",
    "show_rejected",
    "shown_text",
    "table_text",
]

_PATH = "/v1/rejected"


def list_rejected(connection: Connection) -> list[dict[str, Any]]:
    """All of them, the first that was set aside first."""

    async def collect() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        async with Client(connection) as client:
            while True:
                after = found[-1]["id"] if found else 0
                page = (await client.get(f"{_PATH}?after={after}"))["rejected"]
                if not page:
                    return found
                found += page

    return asyncio.run(collect())


def show_rejected(rejected_id: int, connection: Connection) -> dict[str, Any]:
    """One of them with its series."""

    async def ask() -> dict[str, Any]:
        async with Client(connection) as client:
            return await client.get(f"{_PATH}/{rejected_id}")

    return asyncio.run(ask())


def replay_rejected(rejected_ids: Sequence[int], connection: Connection) -> None:
    """Put them on the queue again, one after the other; stops at the first that is not there."""
    _change("POST", [f"{_PATH}/{one}/replay" for one in rejected_ids], connection)


def drop_rejected(rejected_ids: Sequence[int], connection: Connection) -> None:
    """Give them up for good; stops at the first that is not there."""
    _change("DELETE", [f"{_PATH}/{one}" for one in rejected_ids], connection)


def _change(method: str, paths: Sequence[str], connection: Connection) -> None:
    async def change() -> None:
        async with Client(connection) as client:
            for path in paths:
                await client.change(method, path)

    asyncio.run(change())


def json_text(document: object) -> str:
    """JSON on one line."""
    return orjson.dumps(document).decode()


def table_text(found: Sequence[dict[str, Any]]) -> str:
    """A line each: id, when, samples, and why."""
    return "\n".join(
        f"{one['id']:>6}  {one['at']}  {_size(one):>16}  {one['reason']}" for one in found
    )


def shown_text(found: dict[str, Any]) -> str:
    """One of them: what is known of it, a line each, then a line a series."""
    lines = [f"{key:<8} {found[key]}" for key in ("id", "at", "reason", "batch", "samples")]
    for one in found["series"]:
        span = f"{one['first']} to {one['last']}"
        lines.append(f"  {one['stream']}  {one['samples']:,} samples  {span}")
    return "\n".join(lines)


def _size(one: dict[str, Any]) -> str:
    if one["samples"] is None:
        return f"{one['bytes']:,} bytes"
    return f"{one['samples']:,} samples"
