"""``aetherops query --raw``: every sample of a range, page by page."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aetherops.archive.samples import Samples
from aetherops.cli.client import Client
from aetherops.cli.query.catalogue import find_stream
from aetherops.cli.query.command import range_of
from aetherops.cli.query.graphql import data_with_patience
from aetherops.errors import LimitExceededError
from aetherops.instants import end_to_iso, parse_us, range_end, to_iso

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from aetherops.cli.connection import Connection
    from aetherops.cli.query.writers import SampleWriter, WriterOpener

__all__ = ["sample_pages", "write_samples"]

_PAGE = """
query Page($stream: String!, $range: TimeRange!) {
  telemetry(stream: $stream, range: $range) { columns { epochUs values } }
}
"""
_PAGE_SAMPLES = 50_000
# Samples may lie anywhere: a page that came out thin says little of the next one.
_MOST_GROWTH = 4


def write_samples(
    stream: str,
    start_us: int | None,
    end_us: int | None,
    connection: Connection,
    open_writer: WriterOpener,
) -> None:
    """Write all samples of a range, in order of time; memory holds one page of them.

    Parameters
    ----------
    stream : its name.
    start_us, end_us : half-open range; ``None`` is where the stream begins or ends.
    open_writer : opens what takes the samples, given the stream's record.

    Raises
    ------
    NotFoundError, InvalidInputError, UnreachableError, ServerRefusedError
        As for `aetherops.cli.query.command.ask`.
    """

    async def write() -> None:
        async with Client(connection) as client:
            record = await find_stream(client, stream)
            span = range_of(record, start_us, end_us)
            with open_writer(record) as writer:
                await _write_pages(client, record, span, writer)

    asyncio.run(write())


async def _write_pages(
    client: Client, record: Mapping[str, Any], span_us: tuple[int, int], writer: SampleWriter
) -> None:
    async for page in sample_pages(client, record, span_us):
        if len(page):
            writer.write(page)


async def sample_pages(
    client: Client, record: Mapping[str, Any], span_us: tuple[int, int]
) -> AsyncIterator[Samples]:
    """The samples of a range in order of time, some 50,000 at a time.

    A page is a span of time. How many samples lie in the next one is not known: its width
    follows what the last ones held, and is cut where the server says that it holds too many.

    Parameters
    ----------
    record : of the stream.
    span_us : begin, and first instant after the end.
    """
    at_us, end_us = span_us
    width_us = _mean_width(record)
    while at_us < end_us:
        until_us = range_end(min(at_us + width_us, end_us))
        span = {"start": to_iso(at_us), "end": end_to_iso(until_us)}
        asked = {"stream": record["name"], "range": span}
        try:
            data = await data_with_patience(client, _PAGE, asked)
        except LimitExceededError as error:
            if until_us - at_us == 1:
                raise
            width_us = max(1, (until_us - at_us) * error.limit // (2 * max(error.asked, 1)))
            continue
        columns = data["telemetry"]["columns"]
        yield Samples.of(columns["epochUs"], columns["values"])
        width_us = _next_width(until_us - at_us, len(columns["values"]))
        at_us = until_us


def _mean_width(record: Mapping[str, Any]) -> int:
    """The span of a page, were the samples evenly spread."""
    length_us = parse_us(record["last"]) - parse_us(record["first"]) + 1
    count = max(int(record["count"]), _PAGE_SAMPLES)
    return max(1, length_us * _PAGE_SAMPLES // (2 * count))


def _next_width(width_us: int, samples: int) -> int:
    fitting = width_us * _PAGE_SAMPLES // max(samples, 1)
    return max(1, min(fitting, _MOST_GROWTH * width_us))
