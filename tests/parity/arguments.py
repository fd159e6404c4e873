"""Random arguments for the core: plain ones, odd ones, and what is no argument at all."""

from __future__ import annotations

import ctypes
import math
import random
from array import array
from collections.abc import Callable
from multiprocessing import RawArray
from typing import Any

_FLOATS = [
    *(0.0, -0.0, 1.0, -1.0, 0.5, 1e9, 1e-300, 5e-324, 1.7976931348623157e308),
    *(math.nan, math.inf, -math.inf),
]
_NO_NUMBERS = ["x", None, 1j, [1.0], 10**400, object]
# Below or beyond every bound, so that nobody counts up to them.
_ABSURD = [-(2**70), -(2**63), -(2**53), -1, 2**53 + 1, 2**61, 2**62, 2**63 - 1, 2**63, 2**70]
_LENGTHS = [0, 0, 1, 1, 2, 3, 7, 8, 15, 16, 17, 63, 64, 65, 130, 511, 512, 513, 1100, 2049]


class Arguments:
    """Draws arguments; the same seed draws the same."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def odd(self, share: float = 0.06) -> bool:
        return self.rng.random() < share

    def float_(self) -> Any:
        if self.odd():
            return self.rng.choice(_NO_NUMBERS)
        if self.odd(0.3):
            return self.rng.choice(_FLOATS)
        return self.rng.gauss(0.0, 10.0 ** self.rng.uniform(-2, 3))

    def whole(self, most: int = 40) -> Any:
        """A whole number from 0 on, one out of bounds, or none."""
        if self.odd():
            return self.rng.choice([*_ABSURD, "3", None, 2.5])
        return self.rng.randint(0, most)

    def flag(self) -> bool:
        return self.rng.random() < 0.5

    def decimals(self) -> Any:
        return self.rng.choice([None, 0, 1, 4, 15, 15, 16, -1, "2", 2**70, True])

    def policy(self) -> Any:
        return self.rng.choice(["propagate", "omit", "raise", "omit", "raise", "none", None])

    def functions(self) -> Any:
        names = ["mean", "median", "min", "max", "last"]
        if self.odd():
            return self.rng.choice(["mode", (), ("mean", "mean"), None, 3])
        return self.rng.choice([*names, tuple(self.rng.sample(names, self.rng.randint(1, 5)))])

    def numbers(self, length: int | None = None) -> array[float]:
        share = self.rng.choice([0.0, 0.0, 0.05, 1.0])
        length = self.rng.choice(_LENGTHS) if length is None else length
        return array(
            "d",
            (
                self.rng.choice(_FLOATS) if self.rng.random() < share else self.rng.gauss(5, 2)
                for _ in range(length)
            ),
        )

    def column(self, length: int | None = None) -> Any:
        """A buffer of float64 as it may come, or one that is none."""
        values = self.numbers(length)
        return self.rng.choice(_NO_FLOATS if self.odd() else _FLOAT_BUFFERS)(values)

    def source(self) -> Any:
        """Anything that numbers can be read from, once."""
        values = self.numbers()
        if self.odd():
            return self.rng.choice([None, 3, "12", b"12", [1.0, "x"], iter([1.0, None]), {2: 1}])
        shape = self.rng.choice([list, tuple, *_FLOAT_BUFFERS, *_NO_FLOATS[:6]])
        return shape(values)

    def integers(self, numbers: list[int]) -> Any:
        """A buffer of int64 of these numbers, or one that is none."""
        values = array("q", numbers)
        return self.rng.choice(_NO_INTEGERS if self.odd() else _INTEGER_BUFFERS)(values)

    def offsets(self, most: int) -> Any:
        """Offsets that ascend up to ``most``, or nearly so."""
        drawn = [self.rng.randint(0, most) for _ in range(self.rng.choice([0, 1, 2, 5, 40]))]
        numbers = sorted(drawn) if not self.odd(0.15) else drawn
        if numbers and self.odd(0.15):
            wrong = self.rng.choice([-1, most + 1, -(2**63), 2**63 - 1, 2**40])
            numbers[self.rng.randrange(len(numbers))] = wrong
        return self.integers(numbers)

    def times(self) -> Any:
        spread = self.rng.choice([3, 1000, 10**9, 2**60])
        numbers = sorted(
            self.rng.randint(-spread, spread) for _ in range(self.rng.choice(_LENGTHS))
        )
        if numbers and self.odd(0.15):
            wrong = self.rng.choice([-(2**63), -(2**61), 0, 2**61, 2**63 - 1])
            numbers[self.rng.randrange(len(numbers))] = wrong
        return self.integers(numbers)

    def instant(self) -> Any:
        if self.odd(0.1):
            return self.rng.choice([*_ABSURD, "now", None, 0.5])
        return self.rng.randint(-1200, 1200)


def _unaligned(values: array[Any]) -> memoryview:
    shifted = bytearray(1) + values.tobytes()
    return memoryview(shifted)[1:].cast(values.typecode) if values else memoryview(values)


def _every_second(values: array[Any]) -> memoryview:
    return memoryview(array(values.typecode, [v for v in values for _ in (0, 1)]))[::2]


def _square(values: array[Any]) -> memoryview:
    whole = values or array(values.typecode, [0])
    return memoryview(whole).cast("B").cast(values.typecode, (1, len(whole)))


def _shared(values: array[Any]) -> Any:
    return RawArray(values.typecode, values.tolist())


def _of_ctypes(values: array[Any]) -> Any:
    kind = ctypes.c_double if values.typecode == "d" else ctypes.c_int64
    return (kind * len(values))(*values)


_FLOAT_BUFFERS: list[Callable[[array[float]], Any]] = [
    *(lambda values: values, memoryview),
    *(lambda values: memoryview(values).toreadonly(), _unaligned),
    *(lambda values: memoryview(values)[1:], _shared, _of_ctypes),
]
_NO_FLOATS: list[Callable[[array[float]], Any]] = [
    *(list, tuple, _every_second, lambda values: memoryview(values)[::-1]),
    *(lambda values: array("q", range(len(values))), lambda values: array("f", values)),
    *(iter, _square, lambda values: memoryview(values).cast("B"), bytes),
    *(lambda values: None, lambda values: len(values), lambda values: "column"),
    *(lambda values: (ctypes.c_double * 2 * 3)(), lambda values: ctypes.c_double(1.0)),
    *(lambda values: memoryview(bytes(8)).cast("d", ()), lambda values: (ctypes.c_float * 3)()),
]
_INTEGER_BUFFERS = _FLOAT_BUFFERS
_NO_INTEGERS: list[Callable[[array[int]], Any]] = [
    *(list, _every_second, lambda values: array("d", values), lambda values: array("i", [1])),
    *(_square, lambda values: memoryview(values).cast("B"), lambda values: None),
    *(lambda values: (ctypes.c_int64 * 2 * 3)(), lambda values: (ctypes.c_int32 * 3)()),
]
