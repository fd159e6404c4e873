"""A plot of points over time in the terminal: two by four dots in a character, with axes."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from aetherops.instants import LAST_US, to_iso

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Curve", "Marks", "draw_plot", "sparkline"]

_BRAILLE = 0x2800
_DOT_BITS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BARS = "▁▂▃▄▅▆▇█"
_MARK = "×"


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in order of time; a value of ``None`` is a gap, which no line crosses."""

    times_us: Sequence[int]
    values: Sequence[float | None]


@dataclass(frozen=True, slots=True)
class Marks:
    """Single points that are marked with a cross."""

    times_us: Sequence[int] = ()
    values: Sequence[float] = ()


@dataclass(slots=True)
class _Canvas:
    """Dots in a rectangle of characters; dot (0, 0) is at the lower left."""

    width: int
    height: int
    cells: dict[tuple[int, int], int] = field(default_factory=dict)
    marks: set[tuple[int, int]] = field(default_factory=set)

    def dot(self, x: int, y: int) -> None:
        row, column = self.height - 1 - y // 4, x // 2
        bit = _DOT_BITS[3 - y % 4][x % 2]
        self.cells[row, column] = self.cells.get((row, column), 0) | bit

    def line(self, x0: int, y0: int, x1: int, y1: int) -> None:
        steps = max(abs(x1 - x0), abs(y1 - y0), 1)
        for i in range(steps + 1):
            self.dot(round(x0 + (x1 - x0) * i / steps), round(y0 + (y1 - y0) * i / steps))

    def mark(self, x: int, y: int) -> None:
        self.marks.add((self.height - 1 - y // 4, x // 2))

    def row(self, index: int) -> str:
        return "".join(
            _MARK
            if (index, column) in self.marks
            else chr(_BRAILLE + self.cells[index, column])
            if (index, column) in self.cells
            else " "
            for column in range(self.width)
        ).rstrip()


def draw_plot(
    curve: Curve, marks: Marks, span_us: tuple[int, int], *, width: int, height: int
) -> str:
    """Text of a plot with both axes.

    Parameters
    ----------
    curve, marks : what is drawn.
    span_us : begin and end of the axis of time.
    width, height : characters of the whole plot.
    """
    shown = [v for v in (*curve.values, *marks.values) if v is not None]
    if not shown:
        return "no samples in this range"
    low, high = min(shown), max(shown)
    labels = _value_labels(low, high, max(height - 2, 2))
    margin = max(map(len, labels))
    canvas = _Canvas(max(width - margin - 2, 10), len(labels))
    _draw(canvas, curve, marks, span_us, (low, high))
    rows = [
        f"{label:>{margin}} {'┤' if label else '│'}{canvas.row(i)}"
        for i, label in enumerate(labels)
    ]
    rows.append(f"{'':{margin}} └{'─' * canvas.width}")
    rows.append(_time_labels(span_us, margin + 2, canvas.width))
    return "\n".join(rows)


def sparkline(values: Sequence[float | None], width: int = 60, *, last: bool = False) -> str:
    """One line of bars, each the mean (or last) of its share of the values; a gap is a space."""
    shares = min(width, len(values))
    bounds = [i * len(values) // shares for i in range(shares + 1)] if shares else []
    reduce = _last if last else _mean
    means = [reduce(values[first:end]) for first, end in pairwise(bounds)]
    known = [mean for mean in means if mean is not None]
    if not known:
        return ""
    low, span = min(known) / 2, (max(known) / 2 - min(known) / 2) or 1.0
    return "".join(
        " "
        if mean is None
        else _BARS[min(int((mean / 2 - low) / span * len(_BARS)), len(_BARS) - 1)]
        for mean in means
    )


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    # Halves of shares: the sum of two doubles may be none, nor need rounded shares add up to one.
    half = math.fsum(value / 2 / len(known) for value in known)
    return min(max(2 * half, min(known)), max(known))


def _last(values: Sequence[float | None]) -> float | None:
    return next((value for value in reversed(values) if value is not None), None)


def _draw(
    canvas: _Canvas,
    curve: Curve,
    marks: Marks,
    span_us: tuple[int, int],
    limits: tuple[float, float],
) -> None:
    def place(time_us: int, value: float) -> tuple[int, int]:
        across = (time_us - span_us[0]) / max(span_us[1] - span_us[0], 1)
        # Halved before they are subtracted: the difference of two doubles may be none.
        span = limits[1] / 2 - limits[0] / 2
        up = (value / 2 - limits[0] / 2) / span if span > 0 else 0.5
        return round(across * (2 * canvas.width - 1)), round(up * (4 * canvas.height - 1))

    before: tuple[int, int] | None = None
    for time_us, value in zip(curve.times_us, curve.values, strict=True):
        here = None if value is None else place(time_us, value)
        if here is not None:
            canvas.line(*(before or here), *here)
        before = here
    for time_us, value in zip(marks.times_us, marks.values, strict=True):
        canvas.mark(*place(time_us, value))


def _value_labels(low: float, high: float, rows: int) -> list[str]:
    """A label for the first row, the last, and every fourth between with room to it."""
    if low == high:
        middle = rows - 1 - round((4 * rows - 1) / 2) // 4
        return [f"{low:.6g}" if row == middle else "" for row in range(rows)]
    step = high / (rows - 1) - low / (rows - 1)
    if 1e-8 < step < 1e8 and max(abs(low), abs(high)) < 1e9:
        form = f".{max(0, min(9, 1 - math.floor(math.log10(step))))}f"
    else:
        form = ".5g"
    labelled = {*range(0, rows - 2, 4), rows - 1}
    return [f"{high - row * step:{form}}" if row in labelled else "" for row in range(rows)]


def _time_labels(span_us: tuple[int, int], margin: int, width: int) -> str:
    """Begin, middle and end where there is room, begin and end else."""
    begin, end = span_us
    tick_us = 1_000_000 if end - begin >= 10_000_000 else 1
    ticks = (begin, (begin + end) // 2, min(end, LAST_US))
    texts = [to_iso(us // tick_us * tick_us) for us in ticks]
    line = " " * margin + texts[0]
    middle = margin + (width - len(texts[1])) // 2
    if middle > len(line):
        line = line.ljust(middle) + texts[1]
    last = margin + width - len(texts[2])
    return line.ljust(last) + texts[2] if last > len(line) else f"{line} … {texts[2]}"
