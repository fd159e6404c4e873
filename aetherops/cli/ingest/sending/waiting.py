"""Samples that wait to fill a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.samples import Samples, Series

if TYPE_CHECKING:
    from aetherops.archive.stream import Stream

__all__ = ["BATCH_SAMPLES", "WaitingSamples"]

BATCH_SAMPLES = 8_192


class WaitingSamples:
    """Samples of streams, in the order of their rows within each.

    Parameters
    ----------
    batch_samples : how many fill a batch; may be changed at any time.
    """

    def __init__(self, batch_samples: int = BATCH_SAMPLES) -> None:
        self.batch_samples = batch_samples
        self._parts: dict[Stream, list[Samples]] = {}
        self._count = 0

    def add(self, stream: Stream, samples: Samples) -> None:
        """Let samples wait."""
        self._parts.setdefault(stream, []).append(samples)
        self._count += len(samples)

    def take_full(self) -> tuple[Series, ...]:
        """The next batch, if there is enough to fill one, else nothing."""
        return self._take(self.batch_samples) if self._count >= self.batch_samples else ()

    def take_rest(self) -> tuple[Series, ...]:
        """What is left, at most a batch."""
        return self._take(self.batch_samples)

    def _take(self, most: int) -> tuple[Series, ...]:
        batch: list[Series] = []
        for stream in list(self._parts):
            waiting = _joined(self._parts.pop(stream))
            part, rest = waiting[:most], waiting[most:]
            if len(rest):
                self._parts[stream] = [rest]
            if len(part):
                batch.append(Series(stream, part))
            most -= len(part)
            self._count -= len(part)
            if most == 0:
                break
        return tuple(batch)


def _joined(parts: list[Samples]) -> Samples:
    if len(parts) == 1:
        return parts[0]
    return Samples(
        np.concatenate([part.times_us for part in parts]),
        np.concatenate([part.values for part in parts]),
    )
