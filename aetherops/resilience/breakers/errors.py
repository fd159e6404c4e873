"""What a circuit breaker raises.

::

    AetherOpsError
    ├── RefusedError
    │   └── IllegalTransitionError     this breaker cannot make that move now
    └── UnavailableError
        └── BreakerOpenError           the call was not made
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.errors import RefusedError, UnavailableError
from aetherops.resilience.breakers.states import State, Trigger

__all__ = ["BreakerOpenError", "IllegalTransitionError"]


class BreakerOpenError(UnavailableError):
    """The breaker let a call not through: the dependency failed lately, or probes are running.

    Parameters
    ----------
    dependency : the breaker's name.
    retry_after_s : seconds after which a new try makes sense.
    state : the breaker's state, open or half-open.
    """

    # An open breaker has to be cheap: its error is made in C, and its fields are read when wanted.
    if TYPE_CHECKING:

        def __init__(self, dependency: str, retry_after_s: float, state: State) -> None: ...

    else:
        __init__ = Exception.__init__

    @property
    def dependency(self) -> str:  # type: ignore[override]
        return str(self.args[0])

    @property
    def retry_after_s(self) -> float:  # type: ignore[override]
        return float(self.args[1])

    @property
    def state(self) -> State:
        return State(self.args[2])

    def __str__(self) -> str:
        return (
            f"{self.dependency}: the circuit breaker is {self.state}, "
            f"try again in {self.retry_after_s:.3g} s"
        )


class IllegalTransitionError(RefusedError):
    """The transition table, or an override that stands, forbids this move.

    Parameters
    ----------
    breaker : its name.
    state : the state it is in.
    trigger : what was to move it.
    """

    def __init__(self, breaker: str, state: State, trigger: Trigger) -> None:
        self.breaker = breaker
        self.state = state
        self.trigger = trigger
        super().__init__(breaker, state, trigger)

    def __str__(self) -> str:
        return f"{self.breaker}: '{self.trigger}' does not move a breaker that is {self.state}"
