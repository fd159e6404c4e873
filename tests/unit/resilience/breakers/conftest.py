"""Breakers under a clock of the test's own, on the compiled kernels and on their pure twins."""

from __future__ import annotations

import importlib

import pytest

from aetherops.resilience.breakers import breaker, machine

SECOND = 1_000_000_000
NAMES = {
    machine: {
        "BreakerKernel": "breaker",
        "CallGuard": "guards",
        "CountOutcomes": "outcomes",
        "TimeOutcomes": "outcomes",
    },
    breaker: {
        "guard_coroutine_function": "guards",
        "guard_function": "guards",
    },
}


class ManualClock:
    """Monotonic nanoseconds that pass when told."""

    def __init__(self) -> None:
        self.now_ns = 1_000 * SECOND

    def __call__(self) -> int:
        return self.now_ns

    def pass_s(self, seconds: float) -> None:
        self.now_ns += round(seconds * SECOND)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["native", "pure"])
def twin(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Run the test on this implementation of the kernels."""
    implementation: str = request.param
    if implementation == "native":
        pytest.importorskip("aetherops.core._native.resilience.guards")
    for module, names in NAMES.items():
        for name, source in names.items():
            kernels = importlib.import_module(
                f"aetherops.core._{implementation}.resilience.{source}"
            )
            monkeypatch.setattr(module, name, getattr(kernels, name))
    return implementation
