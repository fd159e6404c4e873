"""Who may do what to a circuit breaker."""

from __future__ import annotations

import pytest

from aetherops.errors import ForbiddenError, NotFoundError
from aetherops.identity.operators import Operator
from aetherops.resilience import BreakerPolicy, BreakerRegistry, Override, State
from aetherops.services.breakers import BreakerControl

ADMIN = Operator("ada", "Ada", frozenset({"admin"}))
VIEWER = Operator("vic", "Vic", frozenset({"viewer"}))


@pytest.fixture
def registry() -> BreakerRegistry:
    registry = BreakerRegistry({"nats": BreakerPolicy()})
    registry.get("nats")
    return registry


def test_an_admin_holds_a_breaker_and_lets_it_go(registry: BreakerRegistry) -> None:
    control = BreakerControl(registry)

    assert control.hold("nats", Override.FORCED_OPEN, ADMIN).override is Override.FORCED_OPEN
    (seen,) = control.snapshots()
    assert seen.override is Override.FORCED_OPEN
    after = control.reset("nats", ADMIN)
    assert (after.override, after.state) == (Override.NONE, State.CLOSED)


def test_nobody_else_does(registry: BreakerRegistry) -> None:
    control = BreakerControl(registry)

    with pytest.raises(ForbiddenError):
        control.hold("nats", Override.FORCED_OPEN, VIEWER)
    with pytest.raises(ForbiddenError):
        control.reset("nats", VIEWER)
    assert control.snapshots()[0].override is Override.NONE


def test_a_breaker_that_is_not_there_is_not_made(registry: BreakerRegistry) -> None:
    with pytest.raises(NotFoundError, match="redis"):
        BreakerControl(registry).reset("redis", ADMIN)
    assert len(list(registry)) == 1
