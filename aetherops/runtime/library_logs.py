"""What libraries log, made fit for a log that people read in an outage."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from aetherops.runtime.repeats import Repeats

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LibraryFilter"]


class LibraryFilter(logging.Filter):
    """Tells what a library says as `Repeats` does: the first time, and less and less often.

    The same is a text before its values are filled in, and a class of exception. The exception of
    a warning is told in one line: a server that is away needs no traceback.

    Parameters
    ----------
    clock_s : seconds that only grow.
    """

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._repeats = Repeats(clock_s=clock_s)

    def filter(self, record: logging.LogRecord) -> bool:
        """See `logging.Filter.filter`."""
        error = record.exc_info[1] if record.exc_info else None
        times = self._repeats.count((record.name, str(record.msg), type(error)))
        record.times = times
        if error is not None and record.levelno < logging.ERROR:
            record.reason = f"{type(error).__name__}: {error}"
            record.exc_info = None
        return Repeats.is_told(times)
