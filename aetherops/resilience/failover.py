"""Moving to another region when the primary one fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["FailoverCoordinator", "FailoverState", "choose_failover_region"]

FailoverState = Literal["idle", "probing", "switching", "active"]

_UNHEALTHY_FROM_ERRORS = 3


def choose_failover_region(primary: str, candidates: Iterable[str], degraded: Iterable[str]) -> str:
    """The first candidate that is neither the primary nor degraded, else the primary.

    Parameters
    ----------
    primary : the region that would be left.
    candidates : regions in order of preference.
    degraded : regions that are not to be used.
    """
    avoided = {primary, *degraded}
    return next((region for region in candidates if region not in avoided), primary)


class FailoverCoordinator:
    """The steps of a failover: idle → probing → switching → active → idle.

    Each step returns whether it was taken; out of its turn it changes nothing.
    """

    def __init__(self) -> None:
        self._state: FailoverState = "idle"
        self._probe_results: list[bool] = []
        self._error_count = 0

    @property
    def state(self) -> FailoverState:
        """The state now."""
        return self._state

    @property
    def probe_results(self) -> list[bool]:
        """Outcomes of this round's probes, oldest first; an independent list."""
        return self._probe_results.copy()

    @property
    def error_count(self) -> int:
        """Failed probes since the last `deactivate`, over all rounds."""
        return self._error_count

    def begin_probe(self) -> bool:
        """Idle → probing, with no probe results yet."""
        if not self._move("idle", "probing"):
            return False
        self._probe_results.clear()
        return True

    def record_probe(self, ok: bool) -> bool:
        """Note a probe's outcome while probing; a failed one counts as an error."""
        if self._state != "probing":
            return False
        self._probe_results.append(ok)
        self._error_count += not ok
        return True

    def commit_switch(self) -> bool:
        """Probing → switching; needs at least one successful probe in this round."""
        return any(self._probe_results) and self._move("probing", "switching")

    def activate(self) -> bool:
        """Switching → active."""
        return self._move("switching", "active")

    def deactivate(self) -> bool:
        """Active → idle; the errors are forgotten."""
        if not self._move("active", "idle"):
            return False
        self._error_count = 0
        return True

    def is_healthy(self) -> bool:
        """Whether there are fewer than 3 errors."""
        return self._error_count < _UNHEALTHY_FROM_ERRORS

    def _move(self, start: FailoverState, end: FailoverState) -> bool:
        if self._state != start:
            return False
        self._state = end
        return True
