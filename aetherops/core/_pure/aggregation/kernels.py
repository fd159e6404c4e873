# Twin: ext/aetherops/core/_native/aggregation/kernels.pyx (which chooses between instruction sets).
"""There is nothing to choose: the interpreter runs the twins."""

from __future__ import annotations

__all__ = ["instruction_set"]


def instruction_set() -> str:
    """The instruction set in use: ``avx512``, ``avx2``, ``baseline``, or ``python``."""
    return "python"
