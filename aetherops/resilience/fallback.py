"""Another answer where a call fails."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from aetherops.resilience.breakers.errors import BreakerOpenError

__all__ = ["with_fallback"]

F = TypeVar("F", bound=Callable[..., Any])


def with_fallback(
    function: F,
    fallback: Callable[..., Any],
    on: tuple[type[Exception], ...] = (BreakerOpenError,),
) -> F:
    """The function, or where it raises one of these errors the fallback in its place.

    Parameters
    ----------
    function : a function or a coroutine function.
    fallback : called with the error and the call's own arguments; may be a coroutine function
        where the function is one.
    on : the errors it answers; others reach the caller.
    """
    if inspect.iscoroutinefunction(function):

        @wraps(function)
        async def answer_async(*args: Any, **kwargs: Any) -> Any:
            try:
                return await function(*args, **kwargs)
            except on as error:
                answer = fallback(error, *args, **kwargs)
            return await answer if inspect.isawaitable(answer) else answer

        return cast(F, answer_async)

    @wraps(function)
    def answer_sync(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except on as error:
            return fallback(error, *args, **kwargs)

    return cast(F, answer_sync)
