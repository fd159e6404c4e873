"""What this replica can do now: answer questions, take telemetry in, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.errors import UnavailableError
from aetherops.resilience import Override

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from aetherops.resilience import BreakerRegistry

__all__ = ["Readiness", "ReadinessCheck"]

#: What goes on, and what does not, without a server.
_WITHOUT = {
    "postgres": "questions are refused, accepted batches wait in the queue",
    "nats": "ingest is refused, questions are answered",
    "redis": "limits are counted in this process",
}


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a replica can do.

    Parameters
    ----------
    questions, ingest : whether it answers, and whether it accepts telemetry.
    reasons : for people: all that is not as it should be.
    dependencies : of each server, whether it answers.
    """

    questions: bool
    ingest: bool
    reasons: Sequence[str]
    dependencies: Mapping[str, bool]

    @property
    def ready(self) -> bool:
        """Whether requests should be sent here: for either they are worth it."""
        return self.questions or self.ingest


class ReadinessCheck:
    """Asks the servers, and looks at what else keeps requests from being done.

    Parameters
    ----------
    probe : says of each server whether it answers.
    breakers : one that is held open keeps this replica from its server.
    require_room : raises `UnavailableError` where no telemetry may be written.
    degradations : what is wrong with ingest though it goes on, by name.
    """

    def __init__(
        self,
        probe: Callable[[], Awaitable[Mapping[str, bool]]],
        breakers: BreakerRegistry,
        require_room: Callable[[], None],
        degradations: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._probe = probe
        self._breakers = breakers
        self._require_room = require_room
        self._degradations = degradations

    async def __call__(self) -> Readiness:
        """How it stands now."""
        dependencies = await self._probe()
        lost = {
            **dict.fromkeys(self._held(), "is held off by its circuit breaker"),
            **{name: "does not answer" for name, answers in dependencies.items() if not answers},
        }
        no_room = self._why_no_room()
        reasons = [f"{name} {why}: {_WITHOUT[name]}" for name, why in lost.items()]
        return Readiness(
            questions="postgres" not in lost,
            ingest="nats" not in lost and not no_room,
            reasons=[*sorted(reasons), *[no_room] * bool(no_room), *self._degradations().values()],
            dependencies=dict(dependencies),
        )

    def _held(self) -> Iterator[str]:
        for breaker in self._breakers:
            if breaker.name in _WITHOUT and breaker.snapshot().override is Override.FORCED_OPEN:
                yield breaker.name

    def _why_no_room(self) -> str:
        try:
            self._require_room()
        except UnavailableError as error:
            return str(error)
        return ""
