"""States hold until they change: values for the buckets in which nothing was said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aetherops.cli.query.graphql import data_of
from aetherops.errors import LimitExceededError
from aetherops.instants import parse_us, to_iso

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.cli.client import Client

__all__ = ["hold_values", "last_before"]

_LAST = """
query Last($stream: String!, $range: TimeRange!) {
  telemetry(stream: $stream, range: $range) { statistics { last } }
}
"""
_FIRST_LOOK_US = 3_600_000_000
_WIDEN = 8


def hold_values(columns: dict[str, Any], before: float | None) -> None:
    """Fill the empty buckets of an answer with the last value before each.

    Parameters
    ----------
    columns : of the answer; its values are replaced.
    before : the value at the begin of the range, ``None`` where nothing was said yet.
    """
    held = []
    for value in columns["values"]:
        before = before if value is None else value
        held.append(before)
    columns["values"] = held


async def last_before(client: Client, record: Mapping[str, Any], time_us: int) -> float | None:
    """The last value of a stream before an instant; ``None`` where there is none.

    It is looked for in spans that grow backwards, so that no more is read than lies near it.
    """
    end_us, first_us, width_us = time_us, parse_us(record["first"]), _FIRST_LOOK_US
    while end_us > first_us:
        start_us = max(end_us - width_us, first_us)
        span = {"start": to_iso(start_us), "end": to_iso(end_us)}
        try:
            asked = {"stream": record["name"], "range": span}
            found = await data_of(client, _LAST, asked)
        except LimitExceededError:
            if end_us - start_us == 1:
                raise
            width_us = (end_us - start_us) // 2
            continue
        value: float | None = found["telemetry"]["statistics"]["last"]
        if value is not None:
            return value
        end_us, width_us = start_us, width_us * _WIDEN
    return None
