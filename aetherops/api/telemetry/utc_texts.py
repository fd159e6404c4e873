"""RFC 3339 times in UTC, read together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from aetherops.instants import FIRST_US

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["utc_texts_us"]

# One a line; a line break inside of a text makes one line too many.
_LINES = re.compile(r"(?:\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z\n)*", re.ASCII)


def utc_texts_us(texts: list[str]) -> NDArray[np.int64] | None:
    """Microseconds since 1970 of texts such as ``2026-01-31T12:00:00.25Z``.

    None where one of them is another, though it may be a time as well: `parse_us` says so of each.
    """
    lines = "\n".join([*texts, ""])
    if lines.count("\n") != len(texts) or _LINES.fullmatch(lines) is None:
        return None
    try:
        instants = np.array(lines.replace("Z", "").split("\n")[:-1], "datetime64[us]")
    except ValueError:  # a 13th month, a 25th hour
        return None
    times_us = instants.view(np.int64)
    return None if len(times_us) and times_us.min() < FIRST_US else times_us  # the year 0
