"""The demonstration fleet of an instance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.demo.feed import DemoFeed
from aetherops.runtime.clock import now_us

if TYPE_CHECKING:
    from aetherops.archive.intake import BatchQueue
    from aetherops.runtime.part import Part

__all__ = ["demo_parts"]


def demo_parts(intake: BatchQueue) -> dict[str, Part]:
    """The part that feeds real orbits into the intake."""
    return {"demo": DemoFeed(intake, now_us)}
