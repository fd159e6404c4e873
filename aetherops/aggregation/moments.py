"""Moments of a stream: what the store keeps of a chunk, and merges."""

from __future__ import annotations

import struct
import sys
from array import array
from typing import Any, Self

from aetherops.core import NAN_POLICIES, BlockMoments, moments_state, restore_moments
from aetherops.errors import InvalidInputError

__all__ = ["Moments"]

_MAGIC = b"AOm1"
_HEADER = struct.Struct("<4sBxHq7d")


class Moments(BlockMoments):
    """Count, mean, variance, extremes and ends of the values pushed, in one pass.

    Welford's method over blocks of 512 values, merged by the formula of Chan, Golub and LeVeque,
    with the mean carried in two doubles. The same values give the same bits however they are cut
    and whether the compiled core runs or its twin.

    Parameters
    ----------
    values : taken at once, as by ``push_many``.
    nan_policy : ``propagate`` (a NaN makes every moment NaN), ``omit`` (NaN is passed over) or
        ``raise`` (`InvalidInputError`; the values before it have been taken).
    """

    __slots__ = ()

    @classmethod
    def from_summary(
        cls,
        count: int,
        mean: float,
        m2: float,
        min: float,  # noqa: A002  # the column's name in the store
        max: float,  # noqa: A002
        first: float,
        last: float,
    ) -> Self:
        """What ``summary()`` told, to be merged or added to.

        The mean's low part is lost: merging summaries gives the same numbers as merging the moments
        they came from up to a unit in the last place of the mean.
        """
        if count < 0:
            raise InvalidInputError("count", count, "0 or more")
        if m2 < 0:
            raise InvalidInputError("m2", m2, "0 or more")
        moments = cls()
        if count:
            restore_moments(moments, (count, mean, 0.0, m2, min, max, first, last, b""))
        return moments

    def copy(self) -> Self:
        """Independent moments in the same state, made as the class itself is.

        A subclass that takes other arguments, or has attributes of its own, copies, pickles and
        reads them back itself.
        """
        copied = type(self)(nan_policy=self.nan_policy)
        restore_moments(copied, moments_state(self))
        return copied

    def to_bytes(self) -> bytes:
        """The whole state, little-endian, with its version; at most 4.2 kB."""
        *totals, filling = moments_state(self)
        values = _little_endian(filling)
        policy = NAN_POLICIES.index(self.nan_policy)
        return _HEADER.pack(_MAGIC, policy, len(values) // 8, *totals) + values

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What ``to_bytes`` wrote, in any version of it.

        Raises
        ------
        InvalidInputError
            The bytes were not written by ``to_bytes``, or not by one this version knows.
        """
        if data[:4] != _MAGIC or len(data) < _HEADER.size:
            raise InvalidInputError("data", data[:8], "moments of version 1")
        _, policy, n_filling, *totals = _HEADER.unpack_from(data)
        filling = _little_endian(data[_HEADER.size :])
        if len(filling) != 8 * n_filling or policy >= len(NAN_POLICIES) or totals[0] < 0:
            raise InvalidInputError("data", data[:8], "whole and undamaged moments")
        moments = cls(nan_policy=NAN_POLICIES[policy])
        state: tuple[Any, ...] = (*totals, filling)
        restore_moments(moments, state)
        return moments

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: object) -> Self:
        return self.copy()

    def __eq__(self, other: object) -> bool:
        """Equal to the last bit, and in all that will follow."""
        return self.to_bytes() == other.to_bytes() if isinstance(other, Moments) else NotImplemented

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        count, mean, _, low, high, *_ = self.summary()
        return f"Moments({count=:,}, {mean=:g}, std={self.std():g}, min={low:g}, max={high:g})"


def _little_endian(values: bytes) -> bytes:
    if sys.byteorder == "little":
        return values
    swapped = array("d", values)
    swapped.byteswap()
    return swapped.tobytes()
