"""Functions that stand as defaults of parameters, shown by a name where others show an address."""

from __future__ import annotations

from collections.abc import Callable
from random import random
from typing import Generic, ParamSpec, TypeVar

__all__ = ["UNIFORM", "Named"]

P = ParamSpec("P")
T = TypeVar("T")


class Named(Generic[P, T]):
    """A function whose ``repr`` is its name, so that `help()` says the same in each process.

    Parameters
    ----------
    name : what is shown, such as ``random.random``.
    function : what is called.
    """

    __slots__ = ("_function", "_name")

    def __init__(self, name: str, function: Callable[P, T]) -> None:
        self._name = name
        self._function = function

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """What the function answers."""
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return self._name


#: Numbers in [0, 1).
UNIFORM: Callable[[], float] = Named("random.random", random)
