"""The order of acceptance: an epoch of the queue and the sequence in it, as one integer.

::

    63    62 … 44           43 … 0
    0     epoch             sequence in the queue

No clock takes part. A queue that was made anew, or has forgotten what it took, counts from the
beginning again: it gets the next epoch, so what it takes comes after all that was taken before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["FIRST_EPOCH", "AcceptanceEpochs", "Epoch", "split_version", "version_of"]

#: 2**44 batches an epoch: 55 years at 10,000 a second.
_SEQUENCE_BITS = 44
#: Versions were microseconds << 10 once, which pass this one's (2**61) in the year 2041. The last
#: epoch that fits is 2**19 - 1.
FIRST_EPOCH = 1 << 17


def version_of(epoch: int, sequence: int) -> int:
    """The version of a batch; grows with either."""
    return (epoch << _SEQUENCE_BITS) + sequence


def split_version(version: int) -> tuple[int, int] | None:
    """Epoch and sequence of a version; None for one of a clock, from before there were epochs."""
    epoch = version >> _SEQUENCE_BITS
    return (epoch, version & ((1 << _SEQUENCE_BITS) - 1)) if epoch >= FIRST_EPOCH else None


@dataclass(frozen=True, slots=True)
class Epoch:
    """A stretch of the order of acceptance, in which one queue counted on.

    Parameters
    ----------
    number : `FIRST_EPOCH` or more.
    queue : the queue's identity, which one made anew does not share.
    stored : the highest sequence of it that is stored; 0 where none is.
    """

    number: int
    queue: str
    stored: int


class AcceptanceEpochs(Protocol):
    """Keeps the epochs where the samples are, so that both are lost or kept together."""

    async def latest(self) -> Epoch | None:
        """The epoch that is in force; None before the first."""
        ...

    async def open(self, queue: str, after: Epoch | None) -> None:
        """Begin the next epoch, unless another worker has since `after` was the latest."""
        ...
