"""Streams: what a series of samples is called and what it measures."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from aetherops.errors import InvalidInputError

__all__ = ["Stream", "StreamName", "known_stream"]

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}")
_EXPECTED = (
    "service/source/parameter, each part 1 to 64 letters, digits or _.:+- "
    "that begins with a letter or digit"
)
_MAX_UNIT_LENGTH = 32


class StreamName(NamedTuple):
    """The three parts that name a stream: ``orbit/sat-7/altitude_km``."""

    service: str
    source: str
    parameter: str

    @classmethod
    def parse(cls, text: str, field: str = "stream") -> StreamName:
        """Read ``service/source/parameter``.

        Raises
        ------
        InvalidInputError
            There are not three parts, or one holds a character that names may not have.
        """
        parts = text.split("/")
        if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):
            raise InvalidInputError(field, text, _EXPECTED)
        return cls(*parts)

    def __str__(self) -> str:
        return "/".join(self)


@dataclass(frozen=True, slots=True)
class Stream:
    """A named series of samples.

    Parameters
    ----------
    name : the stream's name.
    unit : unit of its values as text (``"km"``), empty where unknown.
    kind : what the values are: ``"gauge"`` (a measured quantity), ``"counter"``, ``"state"``;
        empty where a sender does not say.
    """

    name: StreamName
    unit: str = ""
    kind: str = ""

    def __post_init__(self) -> None:
        if len(self.unit) > _MAX_UNIT_LENGTH or not self.unit.isprintable():
            raise InvalidInputError(
                "unit", self.unit, f"at most {_MAX_UNIT_LENGTH} printable characters"
            )
        if self.kind not in ("", *KINDS):
            raise InvalidInputError("kind", self.kind, f"one of {', '.join(KINDS)}")


KINDS = ("gauge", "counter", "state")

# Some 600 bytes each at most.
_REMEMBERED_STREAMS = 16_384


@lru_cache(_REMEMBERED_STREAMS)
def known_stream(name: str, unit: str, kind: str) -> Stream:
    """A stream by its fields as they are sent; those used last are remembered, not read again.

    Raises
    ------
    InvalidInputError
        The name is none, or as `Stream`.
    """
    return Stream(StreamName.parse(name), unit, kind)
