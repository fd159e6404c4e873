"""The breakers of a process, by name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from threading import Lock

from aetherops._named import UNIFORM
from aetherops.errors import NotFoundError
from aetherops.events import Listeners
from aetherops.resilience.breakers.breaker import Breaker
from aetherops.resilience.breakers.detectors import FailureDetector
from aetherops.resilience.breakers.events import TransitionEvent
from aetherops.resilience.breakers.policy import BreakerPolicy

__all__ = ["BreakerRegistry"]


class BreakerRegistry:
    """Makes each breaker once, at the first call for its name.

    Parameters
    ----------
    policies : the policy of each name.
    default : the policy of every other name; None admits no other name.
    detectors : what counts as a failure for a name, where not every ``Exception`` does.
    clock : monotonic nanoseconds.
    random : numbers in [0, 1) for the jitter of waits.
    """

    def __init__(
        self,
        policies: Mapping[str, BreakerPolicy] | None = None,
        default: BreakerPolicy | None = None,
        *,
        detectors: Mapping[str, FailureDetector] | None = None,
        clock: Callable[[], int] = time.monotonic_ns,
        random: Callable[[], float] = UNIFORM,
    ) -> None:
        self._policies = dict(policies or {})
        self._default = default
        self._detectors = dict(detectors or {})
        self._clock = clock
        self._random = random
        self._breakers: dict[str, Breaker] = {}
        self._listeners: Listeners[TransitionEvent] = Listeners()
        self._lock = Lock()

    def get(self, name: str) -> Breaker:
        """The breaker of this name, the same one for every caller.

        Raises
        ------
        NotFoundError
            No policy has this name, and there is no default.
        """
        with self._lock:
            if name not in self._breakers:
                self._breakers[name] = self._make(name)
            return self._breakers[name]

    def subscribe(self, listener: Callable[[TransitionEvent], object]) -> None:
        """Tell this listener of every transition of every breaker, those made later too."""
        with self._lock:
            self._listeners.add(listener)
            for breaker in self._breakers.values():
                breaker.subscribe(listener)

    def __iter__(self) -> Iterator[Breaker]:
        """The breakers made so far, in the order of their names."""
        return iter(sorted(self._breakers.copy().values(), key=lambda breaker: breaker.name))

    def __len__(self) -> int:
        return len(self._breakers)

    def _make(self, name: str) -> Breaker:
        policy = self._policies.get(name, self._default)
        if policy is None:
            raise NotFoundError("circuit breaker", name)
        detector = self._detectors.get(name)
        breaker = Breaker(name, policy, detector=detector, clock=self._clock, random=self._random)
        for listener in self._listeners:
            breaker.subscribe(listener)
        return breaker
