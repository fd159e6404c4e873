"""How publication and the check of workflows fare, as metrics show it."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["WorkflowCondition"]


@dataclass(slots=True)
class WorkflowCondition:
    """What the parts of this process did since it started.

    Parameters
    ----------
    published_position : up to where events were known to be published, by whomever.
    published_events : events that this process published.
    replays : workflows that it replayed.
    divergences : workflows that it found to diverge.
    """

    published_position: int = 0
    published_events: int = 0
    replays: int = 0
    divergences: int = 0
