"""What a migration did, workflow by workflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

__all__ = ["MigratedWorkflow", "MigrationReport", "Outcome", "Progress"]


class Outcome(Enum):
    """What became of a workflow."""

    #: Its snapshot was stored, read back and compared.
    CAPTURED = "captured"
    #: The very same snapshot is stored since an earlier run; events may have followed it.
    KNOWN = "known"
    #: A dry run: its snapshot can be stored.
    CAPTURABLE = "capturable"
    #: It is not in the store as it is in the file; the reason says why.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class MigratedWorkflow:
    """What became of one workflow, or of a file that could not be read.

    Parameters
    ----------
    file : where it stood, as it was given.
    workflow_id : its id; None where the file could not be read.
    outcome : what became of it.
    source : what it was captured from (``"MissionPipeline"``).
    status : the state that it has in the file, or the stage of a mission.
    as_text : artifacts of which only the text is kept.
    reason : why it was refused.
    """

    file: str
    workflow_id: str | None
    outcome: Outcome
    source: str | None = None
    status: str | None = None
    as_text: tuple[str, ...] = ()
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class MigrationReport:
    """What became of every workflow, in the order of the files.

    Parameters
    ----------
    workflows : each once.
    files : how many there were.
    dry_run : whether nothing was to be stored.
    """

    workflows: tuple[MigratedWorkflow, ...]
    files: int
    dry_run: bool

    @property
    def counts(self) -> dict[Outcome, int]:
        """How many there are of each outcome, also of those that did not occur."""
        seen = Counter(one.outcome for one in self.workflows)
        return {outcome: seen[outcome] for outcome in Outcome}

    @property
    def refused(self) -> tuple[MigratedWorkflow, ...]:
        """Those that somebody has to look at."""
        return tuple(one for one in self.workflows if one.outcome is Outcome.REFUSED)

    @property
    def ok(self) -> bool:
        """Whether none was refused."""
        return not self.refused


#: Hears of each workflow as it is done, with how many files are done and how many there are.
Progress: TypeAlias = Callable[[MigratedWorkflow, int, int], object]
