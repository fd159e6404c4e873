"""Which streams there are, and which one was meant."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from aetherops.archive.stream import StreamName
from aetherops.cli.query.graphql import data_of
from aetherops.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aetherops.cli.client import Client

__all__ = ["UnknownStreamError", "find_stream", "stream_pages"]

_STREAM = """
query Stream($name: String!) { stream(name: $name) { name unit kind count first last } }
"""
_STREAMS = """
query Streams($prefix: String!, $after: String) {
  streams(prefix: $prefix, first: 1000, after: $after) {
    nodes { name unit kind count first last }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_CLOSE_NAMES = 5
_MOST_COMPARED = 10_000


class UnknownStreamError(NotFoundError):
    """No stream has this name, or it is empty; `hint` says what may have been meant."""

    def __init__(self, name: str, hint: str) -> None:
        super().__init__("stream", name)
        self.hint = hint

    def __str__(self) -> str:
        return f"{super().__str__()}; {self.hint}"


async def find_stream(client: Client, name: str) -> dict[str, Any]:
    """The record of a stream that holds samples.

    Raises
    ------
    InvalidInputError
        The text is no name of a stream.
    UnknownStreamError
        No stream has this name, or it is empty; the message lists close ones.
    """
    StreamName.parse(name, "STREAM")
    try:
        found: dict[str, Any] = (await data_of(client, _STREAM, {"name": name}))["stream"]
    except NotFoundError as error:
        raise await _with_close_names(client, error) from error
    if found["first"] is None:
        raise UnknownStreamError(name, "it holds no sample")
    return found


async def stream_pages(client: Client, prefix: str) -> AsyncIterator[list[dict[str, Any]]]:
    """The records of all streams whose names begin so, by name, a thousand at a time."""
    after: str | None = None
    while True:
        asked = {"prefix": prefix, "after": after}
        page = (await data_of(client, _STREAMS, asked))["streams"]
        yield page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return


async def _with_close_names(client: Client, error: NotFoundError) -> UnknownStreamError:
    """The error with the names that are most like the one asked for."""
    names: list[str] = []
    async for page in stream_pages(client, ""):
        names += [node["name"] for node in page]
        if len(names) >= _MOST_COMPARED:
            break
    close = difflib.get_close_matches(error.name, names, _CLOSE_NAMES, cutoff=0.5)
    if not names:
        hint = "there are no streams yet"
    elif close:
        hint = f"did you mean {', '.join(close)}?"
    else:
        hint = f"some that exist: {', '.join(names[:_CLOSE_NAMES])}"
    return UnknownStreamError(error.name, hint)
