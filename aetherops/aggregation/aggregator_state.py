"""The state of an aggregator as bytes, version 1.

::

    4 bytes   "AOa1"
    4 bytes   length of the header, little-endian
    header    JSON: the arguments, the running numbers, the lengths of the columns
    columns   float64 or int64, little-endian, one after the other

JSON writes each float with the digits that give it back, NaN and infinities by name.
"""

from __future__ import annotations

import json
import sys
from array import array
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aetherops.errors import InvalidInputError

__all__ = ["State", "packed", "unpacked"]

_MAGIC = b"AOa1"


class State(NamedTuple):
    """The states of an aggregator's moments, of its buckets, and its own, as told by the core."""

    moments: Any
    buckets: Sequence[Any]
    accumulator: Any


def packed(arguments: dict[str, Any], state: State) -> bytes:
    """Arguments of an aggregator and its state."""
    n_seen, retained, detector, found = state.accumulator
    *totals, filling = state.moments
    columns = [array("d", filling), retained, found]
    for _, held, completed in state.buckets:
        columns += [held, *completed]
    header = {
        "arguments": arguments,
        "totals": totals,
        "fillings": [filling for filling, _, _ in state.buckets],
        "n_seen": n_seen,
        "judge": detector,  # named by version 1
        "lengths": [len(column) for column in columns],
    }
    text = json.dumps(header).encode()
    return b"".join([_MAGIC, len(text).to_bytes(4, "little"), text, *map(_to_bytes, columns)])


def unpacked(data: bytes) -> tuple[dict[str, Any], State]:
    """What was packed: the arguments and the state."""
    if data[:4] != _MAGIC:
        raise InvalidInputError("data", data[:8], "an aggregator of version 1")
    end = 8 + int.from_bytes(data[4:8], "little")
    try:
        header = json.loads(data[8:end])
        arguments = header["arguments"]
        column = _columns(memoryview(data)[end:], header["lengths"])
        filling, retained, found = next(column), next(column), array("q", next(column).tobytes())
        moments, buckets = (*header["totals"], filling.tobytes()), []
        for running in header["fillings"]:
            held = next(column)
            completed = [next(column) for _ in arguments["functions"]]
            buckets.append((tuple(running), held, completed))
        accumulator = header["n_seen"], retained, tuple(header["judge"]), found
    except (KeyError, TypeError, ValueError, StopIteration, RuntimeError) as error:
        raise InvalidInputError("data", data[:8], "a whole and undamaged aggregator") from error
    return arguments, State(moments, buckets, accumulator)


def _columns(data: memoryview, lengths: Sequence[int]) -> Iterator[array[float]]:
    if 8 * sum(lengths) != len(data) or any(length < 0 for length in lengths):
        raise ValueError("the columns are not as long as the header says")
    start = 0
    for length in lengths:
        column = array("d", data[start : start + 8 * length].tobytes())
        if sys.byteorder == "big":
            column.byteswap()
        yield column
        start += 8 * length


def _to_bytes(column: array[float]) -> bytes:
    if sys.byteorder == "big":
        column = column[:]
        column.byteswap()
    return column.tobytes()
