"""The state of a limiter as a value, with a versioned form in bytes and in JSON.

Rows hold ages in microseconds, not instants, so that a state means the same under another
monotonic clock; the wall time of saving tells how much time has passed since.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Self

from aetherops.errors import InvalidInputError
from aetherops.ratelimit.limits import BucketLimit, WindowLimit, WindowMode
from aetherops.ratelimit.rate import Rate

__all__ = ["STATE_VERSION", "Limit", "LimiterState"]

Limit = BucketLimit | WindowLimit

STATE_VERSION = 1

_MAGIC = b"AORL"
_FORMAT = "aetherops.limiter"
_HEADER = struct.Struct("<4sHBBqII")  # magic, version, limits, 0, saved_us, width, keys
_LIMIT = struct.Struct("<4q")
_CRC = struct.Struct("<I")
_MODES = {WindowMode.FIXED: 1, WindowMode.INTERPOLATED: 2, WindowMode.STRICT: 3}


@dataclass(frozen=True, slots=True)
class LimiterState:
    """All that a limiter keeps.

    Parameters
    ----------
    limits : the limits in force when it was saved.
    saved_us : wall time of saving, microseconds since 1970.
    keys : the keys that were kept.
    width : integers in a row.
    rows : a row of ``width`` int64 for each key, little-endian.
    """

    limits: tuple[Limit, ...]
    saved_us: int
    keys: Sequence[str | int]
    width: int
    rows: bytes

    def to_bytes(self) -> bytes:
        """Header, limits, key lengths, keys, rows by byte planes, CRC-32 of all that."""
        text, lengths = _joined(self.keys)
        body = b"".join(
            (
                _HEADER.pack(
                    _MAGIC,
                    STATE_VERSION,
                    len(self.limits),
                    0,
                    self.saved_us,
                    self.width,
                    len(self.keys),
                ),
                *map(_limit_to_bytes, self.limits),
                _little_endian(lengths),
                len(text).to_bytes(8, "little"),
                text,
                _to_planes(self.rows, 8 * self.width),
            )
        )
        return body + _CRC.pack(zlib.crc32(body))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read what ``to_bytes`` gave.

        Raises
        ------
        InvalidInputError
            It is no limiter state, is of an unknown version, or was cut or altered.
        """
        body = _checked(data)
        try:
            _, _, n_limits, _, saved_us, width, count = _HEADER.unpack_from(body)
            at = _HEADER.size
            limits = tuple(
                _limit_from_numbers(*_LIMIT.unpack_from(body, at + i * _LIMIT.size))
                for i in range(n_limits)
            )
            at += n_limits * _LIMIT.size
            lengths = array("i", body[at : at + 4 * count])
            if sys.byteorder == "big":
                lengths.byteswap()
            at += 4 * count
            size = int.from_bytes(body[at : at + 8], "little")
            text = body[at + 8 : at + 8 + size].decode("utf-8", "surrogatepass")
            keys = _cut(text, lengths, count)
            rows = _from_planes(body[at + 8 + size :], 8 * width, count)
        except (struct.error, ValueError) as error:
            raise InvalidInputError("state", error, "a whole limiter state") from error
        return cls(limits, saved_us, keys, width, rows)

    def to_json(self) -> str:
        """The same, readable: one array a key, its key first and then its row."""
        numbers = array("q", self.rows)
        if sys.byteorder == "big":
            numbers.byteswap()
        width = self.width
        return json.dumps(
            {
                "format": _FORMAT,
                "version": STATE_VERSION,
                "saved_us": self.saved_us,
                "limits": [_limit_to_numbers(limit) for limit in self.limits],
                "width": width,
                "keys": [
                    [key, *numbers[i * width : (i + 1) * width]] for i, key in enumerate(self.keys)
                ],
            }
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what ``to_json`` gave.

        Raises
        ------
        InvalidInputError
            It is no limiter state, or is of an unknown version.
        """
        try:
            given = json.loads(text)
            if given["format"] != _FORMAT:
                raise InvalidInputError("state.format", given["format"], _FORMAT)
            _check_version(given["version"])
            keys, rows = [], array("q")
            for key, *row in given["keys"]:
                if len(row) != given["width"]:
                    raise InvalidInputError("state.keys", key, f"{given['width']} numbers a key")
                keys.append(key)
                rows.extend(row)
            limits = tuple(_limit_from_numbers(*numbers) for numbers in given["limits"])
            return cls(limits, int(given["saved_us"]), keys, given["width"], _little_endian(rows))
        except InvalidInputError:
            raise
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise InvalidInputError("state", error, "a limiter state in JSON") from error


def _check_version(version: object) -> None:
    if version != STATE_VERSION:
        raise InvalidInputError("state.version", version, f"version {STATE_VERSION}")


def _checked(data: bytes) -> bytes:
    """The body, after magic, version and checksum were found right."""
    if len(data) < _HEADER.size + _CRC.size or data[:4] != _MAGIC:
        raise InvalidInputError("state", bytes(data[:4]), "a limiter state")
    _check_version(int.from_bytes(data[4:6], "little"))
    body = data[: -_CRC.size]
    if zlib.crc32(body) != _CRC.unpack(data[-_CRC.size :])[0]:
        raise InvalidInputError("state", "a wrong checksum", "a state as it was saved")
    return body


def _limit_to_numbers(limit: Limit) -> tuple[int, int, int, int]:
    if isinstance(limit, BucketLimit):
        return 0, limit.burst_capacity, limit.refill_rate.tokens, limit.refill_rate.period_us
    return _MODES[limit.mode], limit.quota, limit.window_us, limit.window_count


def _limit_from_numbers(kind: int, quota: int, first: int, second: int) -> Limit:
    if kind == 0:
        return BucketLimit(quota, Rate(first, second))
    for mode, code in _MODES.items():
        if kind == code:
            return WindowLimit(quota, first, mode, second)
    raise InvalidInputError("state.limits", kind, "a known kind of limit")


def _limit_to_bytes(limit: Limit) -> bytes:
    return _LIMIT.pack(*_limit_to_numbers(limit))


def _little_endian(numbers: array[Any]) -> bytes:
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers.tobytes()


def _joined(keys: Sequence[str | int]) -> tuple[bytes, array[int]]:
    """The keys as one text, and the length of each, that of an integer negative."""
    try:
        text = "".join(keys)  # type: ignore[arg-type]
        lengths = list(map(len, keys))  # type: ignore[arg-type]
    except TypeError:  # some are integers
        text = "".join(map(str, keys))
        lengths = [-len(str(key)) if isinstance(key, int) else len(key) for key in keys]
    return text.encode("utf-8", "surrogatepass"), array("i", lengths)


def _cut(text: str, lengths: array[int], count: int) -> list[str | int]:
    """The keys of a text; a negative length is that of an integer."""
    ends = list(accumulate(map(abs, lengths)))
    if len(ends) != count or (ends[-1] if ends else 0) != len(text):
        raise InvalidInputError("state.keys", len(text), "as much text as the lengths tell")
    keys: list[str | int] = []
    start = 0
    for length, end in zip(lengths, ends, strict=True):
        keys.append(text[start:end] if length >= 0 else int(text[start:end]))
        start = end
    return keys


def _to_planes(rows: bytes, stride: int) -> bytes:
    """The bytes of the rows, all first ones, then all second ones …; a constant plane is one byte.

    High bytes of small numbers cost nothing so, and a key some ten bytes.
    """
    parts = []
    for i in range(stride):
        plane = rows[i::stride]
        constant = plane.count(plane[:1]) == len(plane) and plane
        parts.append(b"\0" + plane[:1] if constant else b"\1" + plane)
    return b"".join(parts) if rows else b""


def _from_planes(data: bytes, stride: int, count: int) -> bytes:
    if count and len(data) < 2 * stride:  # of each plane a mark and a byte, before any memory
        raise InvalidInputError("state.rows", len(data), f"{2 * stride} bytes or more")
    rows = bytearray(stride * count)
    at = 0
    for i in range(stride if count else 0):
        size = 1 if data[at : at + 1] == b"\0" else count
        plane = data[at + 1 : at + 1 + size]
        rows[i::stride] = plane * count if size == 1 else plane
        at += 1 + size
    if at != len(data):
        raise InvalidInputError("state.rows", len(data), f"{at} bytes")
    return bytes(rows)
