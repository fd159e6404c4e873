"""What the workers of a process wait for, told once as it begins and once as it has ended."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["EndedPause", "IngestPauses"]

#: A disk at its limit, or a server that comes and goes, is one pause and not one a second.
_SETTLED_AFTER_S = 10.0


@dataclass(frozen=True, slots=True)
class EndedPause:
    """A pause that is over.

    Parameters
    ----------
    dependency : what was waited for.
    duration_s : from the first worker that waited until none did.
    tries : how often work was tried and could not be done.
    """

    dependency: str
    duration_s: float
    tries: int


@dataclass(slots=True)
class _Pause:
    began_s: float
    workers: set[object] = field(default_factory=set)
    tries: int = 0
    nobody_since_s: float = 0.0


class IngestPauses:
    """The pauses of all workers of a process: a pause belongs to what is waited for.

    Parameters
    ----------
    settled_after_s : a pause has ended once no worker has waited for so long.
    clock_s : seconds that only grow.
    """

    def __init__(
        self,
        settled_after_s: float = _SETTLED_AFTER_S,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settled_after_s = settled_after_s
        self._clock_s = clock_s
        self._pauses: dict[str, _Pause] = {}
        #: Pauses that began, by what was waited for.
        self.counts: Counter[str] = Counter()

    def wait(self, worker: object, dependency: str) -> bool:
        """Note that a worker waits for it; whether that begins a pause."""
        pause = self._pauses.get(dependency)
        is_new = pause is None
        if pause is None:
            pause = self._pauses[dependency] = _Pause(self._clock_s())
            self.counts[dependency] += 1
        pause.workers.add(worker)
        pause.tries += 1
        return is_new

    def go_on(self, worker: object) -> list[EndedPause]:
        """Note that a worker waits for nothing; the pauses that have ended by now."""
        if not self._pauses:
            return []
        now_s = self._clock_s()
        for pause in self._pauses.values():
            if worker in pause.workers:
                pause.workers.discard(worker)
                pause.nobody_since_s = now_s
        settled = [
            name
            for name, pause in self._pauses.items()
            if not pause.workers and now_s - pause.nobody_since_s >= self._settled_after_s
        ]
        return [self._end(name) for name in settled]

    def waited_for(self) -> dict[str, bool]:
        """Of everything that was ever waited for, whether a worker waits for it now."""
        return {
            name: name in self._pauses and bool(self._pauses[name].workers) for name in self.counts
        }

    def _end(self, dependency: str) -> EndedPause:
        pause = self._pauses.pop(dependency)
        return EndedPause(dependency, pause.nobody_since_s - pause.began_s, pause.tries)
