"""The circuit breakers of an instance: anybody may look, an admin may hold and reset them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.errors import NotFoundError

if TYPE_CHECKING:
    from aetherops.identity.operators import Operator
    from aetherops.resilience import Breaker, BreakerRegistry, BreakerSnapshot, Override

__all__ = ["BreakerControl"]


class BreakerControl:
    """What operators see of circuit breakers, and may do to them."""

    def __init__(self, breakers: BreakerRegistry) -> None:
        self._breakers = breakers

    def snapshots(self) -> list[BreakerSnapshot]:
        """Where each breaker stands, by name."""
        return [breaker.snapshot() for breaker in self._breakers]

    def hold(self, name: str, override: Override, operator: Operator) -> BreakerSnapshot:
        """Hold a breaker in one state, or release it; needs the permission `admin`."""
        breaker = self._find(name, operator)
        breaker.force(override)
        return breaker.snapshot()

    def reset(self, name: str, operator: Operator) -> BreakerSnapshot:
        """Close a breaker and forget what it counted; needs the permission `admin`."""
        breaker = self._find(name, operator)
        breaker.reset()
        return breaker.snapshot()

    def _find(self, name: str, operator: Operator) -> Breaker:
        """One of the breakers that exist; an operator makes none."""
        operator.require("admin")
        for breaker in self._breakers:
            if breaker.name == name:
                return breaker
        raise NotFoundError("circuit breaker", name)
