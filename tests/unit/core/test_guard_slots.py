"""The interpreter sees the slots that the compiled guards set by hand."""

from __future__ import annotations

import pytest

from aetherops.errors import UnavailableError
from aetherops.resilience import Breaker

guards = pytest.importorskip("aetherops.core._native.resilience.guards")

_HAVE_VECTORCALL = 1 << 11  # Py_TPFLAGS_HAVE_VECTORCALL


@pytest.fixture
def breaker(monkeypatch: pytest.MonkeyPatch) -> Breaker:
    """One with compiled guards, whichever core was chosen."""
    from aetherops.core._native.resilience import breaker as kernels
    from aetherops.resilience.breakers import breaker as face, machine

    monkeypatch.setattr(machine, "BreakerKernel", kernels.BreakerKernel)
    monkeypatch.setattr(machine, "CallGuard", guards.CallGuard)
    for name in ("guard_function", "guard_coroutine_function"):
        monkeypatch.setattr(face, name, getattr(guards, name))
    return Breaker("slots")


def add(a: int, b: int = 2, *rest: int, **named: int) -> tuple[object, ...]:
    return a, b, rest, named


async def echo(value: object) -> object:
    return value


def test_guarded_functions_are_called_without_a_tuple_of_arguments(breaker: Breaker) -> None:
    async def nothing() -> None: ...

    for function in (add, nothing):
        assert type(breaker(function)).__flags__ & _HAVE_VECTORCALL


def test_arguments_arrive_as_they_were_given(breaker: Breaker) -> None:
    guarded = breaker(add)
    assert guarded(1) == (1, 2, (), {})
    assert guarded(1, 3, 4, c=5) == (1, 3, (4,), {"c": 5})
    assert guarded(*(1, 2, 3), d=4) == (1, 2, (3,), {"d": 4})
    with pytest.raises(TypeError, match="missing 1 required"):
        guarded()


@pytest.mark.parametrize("value", [7, (1, 2), ValueError("a value"), StopIteration(3)])
def test_a_coroutines_result_leaves_without_a_traceback(breaker: Breaker, value: object) -> None:
    with pytest.raises(StopIteration) as ended:
        next(breaker(echo)(value))
    assert ended.value.value is value
    assert ended.value.__traceback__.tb_next is None, "raised in the guard, not left by its slot"


async def test_a_refusal_is_raised_where_it_is_awaited(breaker: Breaker) -> None:
    breaker.trip()
    with pytest.raises(UnavailableError):
        await breaker(echo)(1)
