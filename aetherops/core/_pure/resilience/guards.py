# Twin: ext/aetherops/core/_native/resilience/guards.pyx
# Same answers and errors, to the last bit (tests/parity): change both or neither.
"""Calls through a circuit breaker: permit, call, verdict. No lock is held during the call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import wraps
from types import CoroutineType
from typing import Any, ParamSpec, TypeVar

from aetherops.core._pure.resilience.breaker import NEUTRAL, REFUSED, SUCCESS, BreakerKernel
from aetherops.errors import InvalidInputError

__all__ = ["CallGuard", "guard_coroutine_function", "guard_function"]

P = ParamSpec("P")
T = TypeVar("T")


class CallGuard:
    """What every guarded call passes, on its way in and on its way out.

    Parameters
    ----------
    kernel : decides.
    clock : monotonic nanoseconds.
    classify : ``(result, error, duration_ns) -> verdict`` of a call that ended.
    classifies_results : whether a call that returned may be anything but a success.
    publish : called after transitions, outside any lock.
    refusal : ``(state, wait_ns) -> exception`` for a call that gets no permit.

    Attributes
    ----------
    observe : ``(verdict, duration_ns, now_ns)`` of each outcome and (as -1) each refusal, or None.
    """

    __slots__ = (
        "_classifies_results",
        "_classify",
        "_clock",
        "_kernel",
        "_publish",
        "_refusal",
        "observe",
    )

    def __init__(
        self,
        kernel: BreakerKernel,
        clock: Callable[[], int],
        classify: Callable[[object, Exception | None, int], int],
        classifies_results: bool,
        publish: Callable[[], object],
        refusal: Callable[[int, int], Exception],
    ) -> None:
        self._kernel = kernel
        self._clock = clock
        self._classify = classify
        self._classifies_results = classifies_results
        self._publish = publish
        self._refusal = refusal
        self.observe: Callable[[int, int, int], object] | None = None

    def admit(self) -> tuple[int, int]:
        """A permit for one call: its generation and its start on the clock.

        Raises
        ------
        Exception
            What ``refusal`` makes, where the breaker admits no call now.
        """
        start_ns = self._clock()
        generation = self._kernel.acquire(start_ns)
        if self._kernel.moved:
            self._publish()
        if generation == REFUSED:
            if self.observe is not None:
                self.observe(REFUSED, 0, start_ns)
            raise self._refusal(self._kernel.state, self._kernel.wait_ns(start_ns))
        return generation, start_ns

    def returned(self, generation: int, start_ns: int, result: object) -> int:
        """End a call that returned; what became of it (:meth:`BreakerKernel.settle`)."""
        now_ns = self._clock()
        verdict = SUCCESS
        if self._classifies_results:
            verdict = self._classified(generation, start_ns, now_ns, result, None)
        return self._settle(generation, start_ns, verdict, now_ns)

    def raised(self, generation: int, start_ns: int, error: BaseException) -> int:
        """End a call that raised; cancellation and exits are neutral."""
        now_ns = self._clock()
        verdict = NEUTRAL
        if isinstance(error, Exception):
            verdict = self._classified(generation, start_ns, now_ns, None, error)
        return self._settle(generation, start_ns, verdict, now_ns)

    def call(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result, the call guarded."""
        generation, start_ns = self.admit()
        try:
            result = function(*args, **kwargs)
        except BaseException as error:
            self.raised(generation, start_ns, error)
            raise
        if isinstance(result, CoroutineType):
            # It has not run yet: counted as a result, its failure would pass for a success.
            result.close()
            self._settle(generation, start_ns, NEUTRAL, self._clock())
            raise InvalidInputError(
                "function", function, "one that returns its result (await call_async instead)"
            )
        self.returned(generation, start_ns, result)
        return result

    async def drive(self, awaitable: Awaitable[T]) -> T:
        """The awaitable's result, the permit taken when it begins to run."""
        try:
            generation, start_ns = self.admit()
        except BaseException:
            if isinstance(awaitable, CoroutineType):
                awaitable.close()
            raise
        try:
            result = await awaitable
        except BaseException as error:
            self.raised(generation, start_ns, error)
            raise
        self.returned(generation, start_ns, result)
        return result

    async def call_async(
        self, function: Callable[..., Awaitable[T]], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> T:
        """The result of what the function returns to await; it is called once there is a permit."""
        generation, start_ns = self.admit()
        try:
            result = await function(*args, **kwargs)
        except BaseException as error:
            self.raised(generation, start_ns, error)
            raise
        self.returned(generation, start_ns, result)
        return result

    def _classified(
        self,
        generation: int,
        start_ns: int,
        now_ns: int,
        result: object,
        error: Exception | None,
    ) -> int:
        try:
            return self._classify(result, error, now_ns - start_ns)
        except BaseException:
            # A detector that fails must not keep the permit.
            self._settle(generation, start_ns, NEUTRAL, now_ns)
            raise

    def _settle(self, generation: int, start_ns: int, verdict: int, now_ns: int) -> int:
        settled = self._kernel.settle(generation, start_ns, verdict, now_ns)
        if self._kernel.moved:
            self._publish()
        if self.observe is not None:
            self.observe(settled, now_ns - start_ns, now_ns)
        return settled


def guard_function(guard: CallGuard, function: Callable[P, T]) -> Callable[P, T]:
    """The function, each of its calls through the guard."""

    @wraps(function)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        return guard.call(function, *args, **kwargs)

    return guarded


def guard_coroutine_function(
    guard: CallGuard, function: Callable[P, Awaitable[T]]
) -> Callable[P, Awaitable[T]]:
    """The coroutine function, each of its runs through the guard from its first step on."""

    @wraps(function)
    async def guarded(*args: P.args, **kwargs: P.kwargs) -> T:
        return await guard.drive(function(*args, **kwargs))

    return guarded
