"""Limits that follow the load: a controller, and the limiters that it scales."""

from aetherops._lazy import public_names
from aetherops.ratelimit.load.adaptive import AdaptiveLimits
from aetherops.ratelimit.load.controller import (
    FactorChange,
    LoadController,
    LoadPolicy,
    LoadReading,
    LoadReason,
)

__all__ = [
    "AdaptiveLimits",
    "FactorChange",
    "LoadController",
    "LoadPolicy",
    "LoadReading",
    "LoadReason",
]

__dir__ = public_names(__name__)
