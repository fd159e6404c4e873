"""Rows of one file that share an instant: of those only the last one's value is kept."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aetherops.archive.csv.samples import ParsedSeries

__all__ = ["Repeat", "Repeats", "SeenInstants"]

_SHOWN = 2


class Repeat(NamedTuple):
    """A row at an instant that a row before it has."""

    line: int
    time_us: int


@dataclass(slots=True)
class Repeats:
    """The rows of a file that repeat an instant of their stream.

    Parameters
    ----------
    count : how many there are.
    first : the first few of them.
    """

    count: int = 0
    first: list[Repeat] = field(default_factory=list)
    _seen: dict[object, SeenInstants] = field(default_factory=dict)

    def add(self, stream: object, series: ParsedSeries) -> None:
        """Look at the next rows of a stream."""
        times = series.samples.times_us
        repeated = self._seen.setdefault(stream, SeenInstants()).add(times)
        self.count += len(repeated)
        for row in repeated[: _SHOWN - len(self.first)].tolist():
            self.first.append(Repeat(int(series.lines[row]), int(times[row])))


class SeenInstants:
    """A set of instants that takes a byte or two for each, where they come in some order.

    Instants added together are one packed run of differences; a run is unpacked again only
    when later instants reach into its span.
    """

    def __init__(self) -> None:
        self._runs: list[bytes] = []
        self._firsts = np.empty(0, np.int64)
        self._lasts = np.empty(0, np.int64)

    def add(self, times_us: NDArray[np.int64]) -> NDArray[np.intp]:
        """Remember instants; rows of those that were there already, or earlier among these.

        Parameters
        ----------
        times_us : int64, shape (n,), n at least 1, in any order.
        """
        order = np.argsort(times_us, kind="stable")
        ordered = times_us[order]
        known = np.concatenate(([False], ordered[1:] == ordered[:-1]))
        first, last = ordered[0], ordered[-1]
        for run in np.flatnonzero((self._firsts <= last) & (self._lasts >= first)).tolist():
            known |= np.isin(ordered, self._unpacked(run), kind="sort")
        new = ordered[~known]
        if len(new):
            self._keep(new)
        return np.sort(order[known])

    def _keep(self, ordered: NDArray[np.int64]) -> None:
        self._runs.append(zlib.compress(np.diff(ordered).tobytes(), 1))
        self._firsts = np.append(self._firsts, ordered[0])
        self._lasts = np.append(self._lasts, ordered[-1])

    def _unpacked(self, run: int) -> NDArray[np.int64]:
        steps = np.frombuffer(zlib.decompress(self._runs[run]), np.int64)
        instants: NDArray[np.int64] = np.concatenate(([0], np.cumsum(steps))) + self._firsts[run]
        return instants
