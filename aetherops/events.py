"""Events, told to whoever listens."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["EventBus"]


class EventBus(Protocol):
    """Where events go that other programs may listen to; nothing is kept for those who do not."""

    async def publish(self, subject: str, event: Mapping[str, object]) -> None:
        """Tell whoever listens; raises `UnavailableError`."""
        ...
