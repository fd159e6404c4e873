"""Whether a server answers, asked past its breaker: a probe is to see what is, not to be spared."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

__all__ = ["PROBE_TIMEOUT_S", "answers"]

PROBE_TIMEOUT_S = 2.0


async def answers(ask: Callable[[], Awaitable[object]], timeout_s: float) -> bool:
    """Whether the question is answered in time; any failure means that it is not."""
    try:
        async with asyncio.timeout(timeout_s):
            await ask()
    except Exception:
        return False
    return True
