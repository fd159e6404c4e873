"""``aetherops query``: what a stream says about a range of time."""

from __future__ import annotations

import asyncio
import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aetherops.archive.stream import StreamName
from aetherops.cli.client import Client
from aetherops.cli.outcome import FaultFoundError, ServerBusyError, ServerRefusedError
from aetherops.errors import AetherOpsError, InvalidInputError, NotFoundError
from aetherops.instants import parse_us, to_iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.cli.connection import Connection

__all__ = ["QueryAnswer", "Question", "UnknownStreamError", "ask", "ask_client"]

_STREAM = """
query Stream($name: String!) { stream(name: $name) { count first last } }
"""
_STREAMS = """
query Streams($prefix: String!, $after: String) {
  streams(prefix: $prefix, first: 1000, after: $after) {
    nodes { name }
    pageInfo { hasNextPage endCursor }
  }
}
"""
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
_CLOSE_NAMES = 5


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    Parameters
    ----------
    stream : its name.
    start_us, end_us : half-open range; ``None`` is where the stream begins or ends.
    buckets : how many the range is cut into.
    function : what a bucket says of its samples.
    threshold : standard deviations beyond which a sample is an anomaly.
    """

    stream: str
    start_us: int | None
    end_us: int | None
    buckets: int
    function: str
    threshold: float


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """The answer as the server gave it, and the range and threshold it is for."""

    start_us: int
    end_us: int
    threshold: float
    telemetry: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The answer with instants as text, for programs."""
        given = dict(self.telemetry)
        for part in ("columns", "anomalies"):
            columns = dict(given[part])
            given[part] = {"times": [to_iso(us) for us in columns.pop("epochUs")], **columns}
        stream = dict(given.pop("stream"))
        stream["kind"] = stream["kind"].lower()
        span = {"start": to_iso(self.start_us), "end": to_iso(self.end_us)}
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
    StreamName.parse(question.stream, "STREAM")
    try:
        found = await _data(client, _STREAM, {"name": question.stream})
    except NotFoundError as error:
        raise await _with_close_names(client, error) from error
    start_us, end_us = _range(question, found["stream"])
    variables = {
        "stream": question.stream,
        "range": {"start": to_iso(start_us), "end": to_iso(end_us)},
        "downsample": {"buckets": question.buckets, "function": question.function.upper()},
        "threshold": question.threshold,
    }
    data = await _data(client, _TELEMETRY, variables)
    return QueryAnswer(start_us, end_us, question.threshold, data["telemetry"])


def _range(question: Question, stream: Mapping[str, Any]) -> tuple[int, int]:
    """The asked range; open ends are closed by the stream's own."""
    if stream["first"] is None:
        raise UnknownStreamError(question.stream, "it holds no sample")
    first_us, last_us = parse_us(stream["first"]), parse_us(stream["last"])
    start_us = first_us if question.start_us is None else question.start_us
    # A millisecond to read, rather than the microsecond after the last sample.
    end_us = (last_us // 1_000 + 1) * 1_000 if question.end_us is None else question.end_us
    if end_us <= start_us:
        given = question.end_us is not None
        field, value = ("--end", end_us) if given else ("--start", start_us)
        expected = f"a time after {to_iso(start_us)}" if given else f"one up to {to_iso(last_us)}"
        raise InvalidInputError(field, to_iso(value), expected)
    return start_us, end_us


class UnknownStreamError(NotFoundError):
    """No stream has this name, or it is empty; `hint` says what may have been meant."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__("stream", name)
        self.hint = hint

    def __str__(self) -> str:
        return f"{super().__str__()}; {self.hint}"


async def _with_close_names(client: Client, error: NotFoundError) -> UnknownStreamError:
    """The error with the names that are most like the one asked for."""
    names: list[str] = []
    after: str | None = None
    while True:
        page = (await _data(client, _STREAMS, {"prefix": "", "after": after}))["streams"]
        names += [node["name"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"] or len(names) >= 10_000:
            break
    close = difflib.get_close_matches(error.name, names, _CLOSE_NAMES, cutoff=0.5)
    if not names:
        hint = "there are no streams yet"
    elif close:
        hint = f"did you mean {', '.join(close)}?"
    else:
        hint = f"some that exist: {', '.join(names[:_CLOSE_NAMES])}"
    return UnknownStreamError(error.name, hint)


async def _data(client: Client, query: str, variables: Mapping[str, object]) -> dict[str, Any]:
    """The data of a response without errors."""
    response = await client.ask(query, variables)
    if response.get("errors"):
        raise _error_of(response["errors"][0])
    data: dict[str, Any] = response["data"]
    return data


def _error_of(error: Mapping[str, Any]) -> AetherOpsError:
    extensions = error.get("extensions", {})
    message = str(error.get("message"))
    match extensions.get("code"):
        case "NOT_FOUND":
            return NotFoundError(str(extensions.get("kind")), str(extensions.get("name")))
        case "BAD_INPUT" | "LIMIT_EXCEEDED":
            return FaultFoundError(message)
        case "UNAVAILABLE" | "TIMED_OUT":
            return ServerBusyError(message)
        case _:
            return ServerRefusedError(message)
