"""What may be asked of a stream."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aetherops.archive.reductions import Downsample
    from aetherops.archive.stream import StreamName

__all__ = ["TelemetryQuestion", "TimeWindow"]


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """Instants from `start_us` up to, and without, `end_us`."""

    start_us: int
    end_us: int


@dataclass(frozen=True, slots=True)
class TelemetryQuestion:
    """What is asked of one stream.

    Parameters
    ----------
    downsample : how samples are reduced to points; ``None`` for the samples themselves.
    extremes_only : nothing will be asked but how many samples there are, their extremes and
        their ends. Such a question is answered from summaries.
    """

    stream: StreamName
    window: TimeWindow
    downsample: Downsample | None = None
    extremes_only: bool = False
