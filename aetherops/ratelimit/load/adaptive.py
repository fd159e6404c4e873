"""Limits that follow the load: a controller, and the limiters that it scales."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from aetherops.events import Listeners
from aetherops.ratelimit.load.controller import FactorChange, LoadController, LoadReading

__all__ = ["AdaptiveLimits", "Scalable"]

_FINEST_PERMILLE = 999  # shares no divisor with 1000: if limits have room for it, for any factor


class Scalable(Protocol):
    """A limiter that enforces its nominal limits times a factor in thousandths."""

    def scale(self, factor_permille: int) -> None: ...


class AdaptiveLimits:
    """Scales limiters as a controller decides, and tells who listens.

    Parameters
    ----------
    limiters : those that share the load; each keeps its credit in proportion when scaled.
    controller : the control law.

    Raises
    ------
    InvalidInputError
        A limiter's exact arithmetic has no room for scaled limits.
    """

    def __init__(
        self, limiters: Sequence[Scalable], controller: LoadController | None = None
    ) -> None:
        self._limiters = tuple(limiters)
        self._controller = controller or LoadController()
        self._listeners: Listeners[FactorChange] = Listeners()
        for limiter in self._limiters:
            limiter.scale(_FINEST_PERMILLE)
            limiter.scale(self._controller.factor_permille)

    @property
    def factor_permille(self) -> int:
        """The factor in force, in thousandths."""
        return self._controller.factor_permille

    @property
    def listener_errors(self) -> int:
        """How often a listener raised; its errors never reach the caller of ``observe``."""
        return self._listeners.errors

    def subscribe(self, listener: Callable[[FactorChange], object]) -> None:
        """Call ``listener`` with each change, after it is in force."""
        self._listeners.add(listener)

    def observe(self, reading: LoadReading, now_us: int) -> FactorChange | None:
        """Take a reading of the queue in, and put in force what follows from it."""
        change = self._controller.observe(reading, now_us)
        if change is None:
            return None
        for limiter in self._limiters:
            limiter.scale(change.after_permille)
        self._listeners.tell(change)
        return change
