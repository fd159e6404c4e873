"""How the read models of workflows fare: written by the projector of this process."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ReadModelCondition"]


@dataclass(slots=True)
class ReadModelCondition:
    """What metrics say of the read models.

    Parameters
    ----------
    position : of the last event that this process took in.
    lag_s : from the recording of that event until then.
    events : that this process took in.
    parked : workflows that it parked.
    rebuilds : that it finished.
    """

    position: int = 0
    lag_s: float = 0.0
    events: int = 0
    parked: int = 0
    rebuilds: int = 0
