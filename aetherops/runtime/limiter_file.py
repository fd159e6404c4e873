"""A limiter's counts in a file, so that a restart forgives nobody."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import LimiterState
from aetherops.runtime.private_files import write_private

if TYPE_CHECKING:
    from aetherops.ratelimit import LocalLimiter

__all__ = ["kept_in_file"]

_log = structlog.get_logger(__name__)


@contextmanager
def kept_in_file(limiter: LocalLimiter, path: Path) -> Iterator[None]:
    """Restore the limiter from the file, and save it there when the block ends.

    A file that is missing, damaged or of other limits leaves the limiter as it is.
    """
    try:
        limiter.restore(LimiterState.from_bytes(path.read_bytes()), _wall_us())
    except FileNotFoundError:
        pass
    except InvalidInputError as error:
        _log.warning("limiter_state_ignored", path=str(path), reason=str(error))
    try:
        yield
    finally:
        write_private(path, limiter.state(_wall_us()).to_bytes())


def _wall_us() -> int:
    return time.time_ns() // 1_000
