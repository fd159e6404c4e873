"""A block of code as one guarded call."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from aetherops.core import CallGuard
from aetherops.errors import InvalidInputError

__all__ = ["GuardedBlock"]


class GuardedBlock:
    """One call through a breaker, the length of a ``with`` or ``async with``.

    Set ``result`` inside the block to let the detector classify it.
    """

    __slots__ = ("_guard", "_permit", "result")

    def __init__(self, guard: CallGuard) -> None:
        self._guard = guard
        self._permit: tuple[int, int] | None = None
        self.result: Any = None

    def __enter__(self) -> Self:
        if self._permit is not None:
            raise InvalidInputError("block", self, "a new guard() for every call")
        self._permit = self._guard.admit()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._permit is not None
        generation, start_ns = self._permit
        if error is None:
            self._guard.returned(generation, start_ns, self.result)
        else:
            self._guard.raised(generation, start_ns, error)

    async def __aenter__(self) -> Self:
        return self.__enter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.__exit__(kind, error, traceback)
