"""What parity tests of the aggregator's kernels share: both twins, hard streams, bits."""

from __future__ import annotations

import math
import os
import random
import struct
from array import array
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from aetherops import core

#: Streams in each test; AETHEROPS_LONG_TESTS=1 makes them twenty times as many.
N_STREAMS = 6_000 if os.environ.get("AETHEROPS_LONG_TESTS") == "1" else 300

_HARD = [
    *(0.0, -0.0, math.nan, math.inf, -math.inf),
    *(5e-324, -5e-324, 2.2250738585072014e-308, 1e-310),
    *(1.7976931348623157e308, -1.7976931348623157e308, 1e308, 1e15, 1e9 + 0.5, 0.1, 0.5, 1 / 3),
]
_LENGTHS = [*range(20), 31, 32, 33, 63, 64, 65, 100, 511, 512, 513, 1023, 1025, 2047, 2049, 3000]


def random_value(rng: random.Random, hard_share: float) -> float:
    if rng.random() < hard_share:
        return rng.choice(_HARD)
    kind = rng.random()
    if kind < 0.3:
        return round(rng.uniform(-1000, 1000), rng.randrange(6))
    if kind < 0.4:
        return float(rng.randrange(-5, 6))
    return rng.gauss(rng.choice([0.0, 100.0, 1e9]), 10.0 ** rng.uniform(-6, 6))


def random_stream(rng: random.Random) -> list[float]:
    hard_share = rng.choice([0.0, 0.0, 0.0, 0.01, 0.3, 1.0])
    return [random_value(rng, hard_share) for _ in range(rng.choice(_LENGTHS))]


def random_cuts(rng: random.Random, values: list[float]) -> Iterator[list[float]]:
    start = 0
    while start < len(values):
        length = rng.choice([1, 1, 2, 7, 64, 500, 2500])
        yield values[start : start + length]
        start += length


def bits(answer: Any) -> Any:
    """An answer with every float as its eight bytes, so that NaN and -0.0 are told apart."""
    if isinstance(answer, float):
        return struct.pack("<d", answer)
    if isinstance(answer, array | memoryview):
        return bytes(answer)
    if isinstance(answer, Iterable) and not isinstance(answer, str | bytes):
        return [bits(part) for part in answer]
    return answer


def outcome(call: Callable[..., Any], *arguments: Any, **options: Any) -> Any:
    """What a call returns, in bits, or the type and the words of what it raises."""
    try:
        return bits(call(*arguments, **options))
    except Exception as error:
        return type(error), str(error)


@pytest.fixture(scope="session")
def twins() -> Callable[[str], tuple[ModuleType, ModuleType]]:
    """Both twins of a kernel module: the compiled one, the pure one."""

    def load(module: str) -> tuple[ModuleType, ModuleType]:
        pytest.importorskip("aetherops.core._native.aggregation.kernels")
        native = import_module(f"aetherops.core._native.{module}")
        return native, import_module(f"aetherops.core._pure.{module}")

    return load


@pytest.fixture(scope="session")
def cores(twins: Callable[[str], tuple[ModuleType, ModuleType]]) -> list[SimpleNamespace]:
    """All that the kernels of aggregation offer: compiled, and pure."""
    native, pure = SimpleNamespace(), SimpleNamespace()
    for module, names in core._KERNELS.items():
        if module.startswith("aggregation."):
            for core_, twin in zip((native, pure), twins(module), strict=True):
                vars(core_).update({name: getattr(twin, name) for name in names})
    return [native, pure]


@pytest.fixture(params=range(4), ids=lambda seed: f"seed{seed}")
def streams(request: pytest.FixtureRequest) -> Iterator[tuple[random.Random, list[float]]]:
    """Generators of choices with a stream each: short and long, plain and hard."""
    rng = random.Random(request.param)
    return ((rng, random_stream(rng)) for _ in range(N_STREAMS // 4))


@pytest.fixture(scope="session")
def compare() -> Any:
    """The functions above, for tests that are imported on their own."""

    class Compare:
        outcome = staticmethod(outcome)
        bits = staticmethod(bits)
        cuts = staticmethod(random_cuts)

    return Compare
