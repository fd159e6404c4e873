"""How msgspec says what is wrong with a document, and where."""

from __future__ import annotations

import re

__all__ = ["split_message"]

# "Expected `int`, got `str` - at `$.series[1].times[3]`"; nothing is at the whole.
_PLACE = re.compile(r" - at `\$\.?(?P<place>[^`]*)`$")


def split_message(message: str) -> tuple[str, str]:
    """What is wrong, and the place as ``series[1].times[3]``; empty for the whole document."""
    found = _PLACE.search(message)
    return (message[: found.start()], found["place"]) if found else (message, "")
