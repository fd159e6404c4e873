"""How the execution of workflows fares, as metrics show it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RunnerCondition"]


@dataclass(slots=True)
class RunnerCondition:
    """What the runner of this process did since it started.

    Parameters
    ----------
    held : workflows that it holds now.
    claims : workflows that it took.
    takeovers : of these, those that another runner held.
    finished : workflows that it saw to their end.
    fenced : workflows that another runner had taken when it wanted to append.
    """

    held: int = 0
    claims: int = 0
    takeovers: int = 0
    finished: int = 0
    fenced: int = 0
