"""What lines of a CSV file gave: samples, and rows that gave none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from aetherops.archive.samples import Samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

    from aetherops.archive.csv.reasons import Reason

__all__ = ["ParsedBlock", "ParsedSeries", "RejectedRow", "SeriesKey"]


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row that gave no sample, or none in one of its columns.

    Parameters
    ----------
    line : its line in the file, from 1.
    reason : the kind of defect.
    detail : what was found, and what was expected.
    text : the line itself.
    """

    line: int
    reason: Reason
    detail: str
    text: str


class SeriesKey(NamedTuple):
    """Which samples of a file belong together: those of a column of values and of an object."""

    column: int
    object: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class ParsedSeries:
    """Samples that belong together, in the order of their rows, and the line of each."""

    samples: Samples
    lines: NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ParsedBlock:
    """What some lines hold.

    Parameters
    ----------
    series : the samples, those of each column and object by themselves.
    rejected : rows that gave none.
    rows : rows read, good and bad.
    missing : values that stand for none.
    """

    series: Mapping[SeriesKey, ParsedSeries]
    rejected: tuple[RejectedRow, ...] = ()
    rows: int = 0
    missing: int = 0

    @property
    def samples(self) -> Samples:
        """The samples, where the file holds one series; of several the first."""
        return next((one.samples for one in self.series.values()), Samples.empty())
