"""``aetherops query``: what a stream says about a range of time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aetherops.cli.client import Client
from aetherops.cli.query.catalogue import UnknownStreamError, find_stream
from aetherops.cli.query.graphql import data_of
from aetherops.errors import InvalidInputError
from aetherops.instants import LAST_US, end_to_iso, parse_us, range_end, to_iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.cli.connection import Connection

__all__ = ["QueryAnswer", "Question", "UnknownStreamError", "ask", "ask_client", "range_of"]

_TELEMETRY = """
query Telemetry(
  $stream: String!, $range: TimeRange!, $downsample: Downsample, $threshold: Float!
) {
  telemetry(stream: $stream, range: $range, downsample: $downsample) {
    stream { name unit kind }
    resolution
    columns { epochUs values counts }
    statistics {
      count mean stddev variance min max first last
      percentiles { rank value }
    }
    anomalies(threshold: $threshold, first: 1000) { total epochUs values scores }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Parameters
    ----------
    stream : its name.
    start_us, end_us : half-open range; ``None`` is where the stream begins or ends.
    buckets : how many the range is cut into.
    function : what a bucket says of its samples; ``None`` is what the server holds to suit the
        stream's kind.
    threshold : standard deviations beyond which a sample is an anomaly.
    """

    stream: str
    start_us: int | None
    end_us: int | None
    buckets: int
    function: str | None
    threshold: float


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer as the server gave it, and the range and threshold it is for.

    `held` says that an empty bucket has the value of the last change before it.
    """

    start_us: int
    end_us: int
    threshold: float
    telemetry: Mapping[str, Any]
    held: bool = False

    def to_json(self) -> dict[str, Any]:
        """The answer with instants as text, for programs."""
        given = dict(self.telemetry)
        for part in ("columns", "anomalies"):
            columns = dict(given[part])
            given[part] = {"times": [to_iso(us) for us in columns.pop("epochUs")], **columns}
        stream = dict(given.pop("stream"))
        stream["kind"] = stream["kind"].lower()
        span = {"start": to_iso(self.start_us), "end": end_to_iso(self.end_us)}
        return {"stream": stream, "range": span, **given}


def ask(question: Question, connection: Connection) -> QueryAnswer:
    """Ask an instance.

    Raises
    ------
    NotFoundError
        No stream has this name; the message lists close ones.
    InvalidInputError
        The range is inverted, or the server finds another fault in the question.
    UnreachableError, ServerRefusedError
        The server does not answer, or not now, or not to this token.
    """

    async def ask_instance() -> QueryAnswer:
        async with Client(connection) as client:
            return await ask_client(question, client)

    return asyncio.run(ask_instance())


async def ask_client(question: Question, client: Client) -> QueryAnswer:
    """Ask through an open client; see `ask`."""
    record = await find_stream(client, question.stream)
    start_us, end_us = range_of(record, question.start_us, question.end_us)
    downsample: dict[str, object] = {"buckets": question.buckets}
    if question.function is not None:
        downsample["function"] = question.function.upper()
    variables = {
        "stream": question.stream,
        "range": {"start": to_iso(start_us), "end": end_to_iso(end_us)},
        "downsample": downsample,
        "threshold": question.threshold,
    }
    telemetry = (await data_of(client, _TELEMETRY, variables))["telemetry"]
    held = question.function is None and telemetry["stream"]["kind"] == "STATE"
    return QueryAnswer(start_us, end_us, question.threshold, telemetry, held)


def range_of(
    record: Mapping[str, Any], start_us: int | None, end_us: int | None
) -> tuple[int, int]:
    """The asked range of a stream; open ends are closed by the stream's own."""
    first_us, last_us = parse_us(record["first"]), parse_us(record["last"])
    given = end_us is not None
    if start_us is None:
        start_us = first_us
    if end_us is None:
        # A millisecond to read, rather than the microsecond after the last sample.
        end_us = (last_us // 1_000 + 1) * 1_000
    end_us = range_end(min(end_us, LAST_US))
    if end_us <= start_us:
        field, value = ("--end", end_us) if given else ("--start", start_us)
        expected = f"a time after {to_iso(start_us)}" if given else f"one up to {to_iso(last_us)}"
        raise InvalidInputError(field, end_to_iso(value), expected)
    return start_us, end_us
