"""Instants written as text: ISO 8601 or a count since 1970, one by one or a column at once.

`TimeFormat.read` is the definition. `TimeFormat.read_column` gives the same answers for
columns of a regular shape, digit by digit over whole columns, and declines all others.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from aetherops.archive.csv.reasons import Reason, RowError
from aetherops.archive.csv.times.epochs import DISTANCES_US, EpochUnit
from aetherops.archive.csv.times.iso import parse_iso
from aetherops.archive.csv.times.regular import read_epochs, read_isos
from aetherops.archive.csv.values import number_in, without_decimal_comma
from aetherops.instants import FIRST_US, LAST_US, to_us

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

__all__ = ["EpochUnit", "Reason", "RowError", "TimeFormat", "number_in"]


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a column's times are written.

    Parameters
    ----------
    epoch_unit : unit of counts since 1970; ``None`` for ISO 8601 text.
    zone : time zone of ISO times that carry no offset; ``None`` refuses those. Where clocks
        are set back, a local time that occurs twice is the first of the two; where they are
        set forward, one that is skipped counts in the offset before the change.
    inferred : whether the unit was told by the size of most counts. One whose size tells
        another is refused: taken for this one it would lie decades away.
    decimal_comma : counts have a comma before their decimals.
    """

    epoch_unit: EpochUnit | None = None
    zone: tzinfo | None = None
    # How the unit came to be known says nothing of how times are written.
    inferred: bool = field(default=False, compare=False)
    decimal_comma: bool = False

    def __str__(self) -> str:
        if self.epoch_unit is not None:
            return f"epoch {self.epoch_unit.plural}"
        return "ISO 8601" if self.zone is None else f"ISO 8601, those without offset in {self.zone}"

    def read(self, text: str) -> int:
        """Microseconds of one time; digits finer than a microsecond are cut off.

        Raises
        ------
        RowError
            The text is no time of this format, or one outside the years 1 to 9999.
        """
        us = self._read_iso(text) if self.epoch_unit is None else self._read_epoch(text)
        if not FIRST_US <= us <= LAST_US:
            raise RowError(Reason.TIME_RANGE, f"time {text!r}")
        return us

    def _read_iso(self, text: str) -> int:
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            instant = _read_day_of_year(text)
        if instant.tzinfo is None:
            if self.zone is None:
                raise RowError(Reason.NAIVE_TIME, f"time {text!r}, and no time zone is given")
            instant = instant.replace(tzinfo=self.zone)
        return to_us(instant)

    def _read_epoch(self, text: str) -> int:
        assert self.epoch_unit is not None
        written = without_decimal_comma(text) if self.decimal_comma else text
        count = None if written is None else number_in(written)
        if written is None or count is None or not math.isfinite(count):
            raise RowError(Reason.TIME, f"time {text!r}, expected {self}")
        if abs(count) > 1e21:
            raise RowError(Reason.TIME_RANGE, f"time {text!r}")
        try:
            us = math.floor(Decimal(written).scaleb(self.epoch_unit.decimals))
        except ArithmeticError:  # an exponent that Decimal cannot hold
            raise RowError(Reason.TIME, f"time {text!r}, expected {self}") from None
        if self.inferred and not self._is_telling(us):
            raise RowError(Reason.OTHER_UNIT, f"time {text!r}, expected {self} as most rows have")
        return us

    def read_column(
        self, data: NDArray[np.uint8], starts: NDArray[np.intp], ends: NDArray[np.intp]
    ) -> NDArray[np.int64] | None:
        """Microseconds of many times, or ``None`` where `read` has to look at each.

        Parameters
        ----------
        data : text as bytes.
        starts, ends : shape (n,), where each time begins and ends in it.
        """
        if self.epoch_unit is None:
            times = read_isos(data, starts, ends, self.zone)
        else:
            times = read_epochs(data, starts, ends, self.epoch_unit, self.decimal_comma)
        if times is None or times.min() < FIRST_US or times.max() > LAST_US:
            return None
        if self.inferred and self.epoch_unit is not None:
            distances = np.abs(times)
            if not (
                self._is_telling(int(distances.min())) and self._is_telling(int(distances.max()))
            ):
                return None
        return times

    def _is_telling(self, us: int) -> bool:
        """Whether an instant's count in this unit has the size that tells this unit."""
        assert self.epoch_unit is not None
        nearest, farthest = DISTANCES_US[self.epoch_unit]
        return nearest <= abs(us) < farthest


def _read_day_of_year(text: str) -> datetime:
    """What Python's own parser does not read: a date that is a year and a day of the year."""
    try:
        return parse_iso(text)
    except ValueError:
        raise RowError(Reason.TIME, f"time {text!r}, expected ISO 8601") from None
