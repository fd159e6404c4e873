"""``aetherops streams``: which streams there are."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aetherops.cli.client import Client
from aetherops.cli.query.catalogue import stream_pages
from aetherops.instants import parse_us, to_iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aetherops.cli.connection import Connection

__all__ = ["all_streams", "json_text", "table_text"]

_COLUMNS = ("name", "unit", "kind", "count", "first", "last")


def all_streams(prefix: str, connection: Connection) -> list[dict[str, Any]]:
    """The records of all streams whose names begin so, by name: times as text, in UTC."""

    async def collect() -> list[dict[str, Any]]:
        async with Client(connection) as client:
            return [_shown(node) async for page in stream_pages(client, prefix) for node in page]

    return asyncio.run(collect())


def json_text(streams: Sequence[dict[str, Any]]) -> str:
    """A JSON array on one line."""
    import orjson

    return orjson.dumps(streams).decode()


def table_text(streams: Sequence[dict[str, Any]]) -> str:
    """A line a stream under a heading, in columns; counts to the right."""
    rows = [[column.upper() for column in _COLUMNS]]
    rows += [[_cell(record[column]) for column in _COLUMNS] for record in streams]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    count = _COLUMNS.index("count")
    return "\n".join(
        "  ".join(
            cell.rjust(width) if i == count else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def _shown(node: dict[str, Any]) -> dict[str, Any]:
    times = {end: node[end] and to_iso(parse_us(node[end])) for end in ("first", "last")}
    return {**node, "kind": node["kind"].lower(), **times}


def _cell(value: object) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else str(value)
