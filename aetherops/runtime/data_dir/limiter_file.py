"""A limiter's counts in a file, so that a restart forgives nobody."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from aetherops.errors import InvalidInputError
from aetherops.ratelimit import LimiterState
from aetherops.runtime.clock import now_us
from aetherops.runtime.data_dir.private_files import write_private

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
        limiter.restore(LimiterState.from_bytes(path.read_bytes()), now_us())
    except FileNotFoundError:
        pass
    except InvalidInputError as error:
        _log.warning("limiter_state_ignored", path=str(path), reason=str(error))
    try:
        yield
    finally:
        try:
            write_private(path, limiter.state(now_us()).to_bytes())
        except OSError as error:  # a full disk must not keep an instance from ending well
            _log.warning("limiter_state_not_saved", path=str(path), reason=str(error))
