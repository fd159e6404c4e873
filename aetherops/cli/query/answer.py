"""The answer to a query as text: a summary, a plot, CSV or JSON."""

from __future__ import annotations

import csv
import io
import shutil
from typing import TYPE_CHECKING

from aetherops.cli.output import can_write
from aetherops.cli.query.braille import Curve, Marks, draw_plot, sparkline
from aetherops.instants import end_to_iso, to_iso

if TYPE_CHECKING:
    from aetherops.cli.query.command import QueryAnswer

__all__ = ["csv_text", "json_text", "plot_text", "summary_text"]

_PLOT_HEIGHT = 20


def json_text(answer: QueryAnswer) -> str:
    """One JSON object on one line."""
    import orjson

    return orjson.dumps(answer.to_json()).decode()


def csv_text(answer: QueryAnswer) -> str:
    """A row a bucket: its start, its value, empty in a gap, and its samples."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("time", "value", "count"))
    columns = answer.telemetry["columns"]
    for us, value, count in zip(
        columns["epochUs"], columns["values"], columns["counts"], strict=True
    ):
        writer.writerow((to_iso(us), "" if value is None else repr(value), count))
    return text.getvalue().removesuffix("\n")


def summary_text(answer: QueryAnswer) -> str:
    """Statistics, percentiles and anomalies, and the course of the values in one line."""
    telemetry = answer.telemetry
    statistics, anomalies = telemetry["statistics"], telemetry["anomalies"]
    rows = [
        ("range", f"{to_iso(answer.start_us)} to {end_to_iso(answer.end_us)}"),
        ("samples", f"{statistics['count']:,}"),
    ]
    # Numbers that name states have no mean, and none of them is far from it.
    if statistics["count"] and not answer.held:
        rows += [(name, _shown(statistics[name])) for name in ("mean", "stddev")]
    if statistics["count"]:
        rows += [(name, _shown(statistics[name])) for name in ("min", "max", "first", "last")]
    if statistics["count"] and not answer.held:
        rows += [(f"p{p['rank']:g}", _shown(p["value"])) for p in statistics["percentiles"]]
        rows.append(("anomalies", f"{anomalies['total']:,} beyond {answer.threshold:g} deviations"))
    course = sparkline(telemetry["columns"]["values"], last=answer.held)
    if course and can_write(course):
        rows.append(("course", course))
    width = max(len(name) for name, _ in rows)
    return "\n".join([_title(answer), *(f"  {name:{width}}  {text}" for name, text in rows)])


def plot_text(answer: QueryAnswer) -> str:
    """A plot as wide as the terminal: gaps stay empty, anomalies are crosses."""
    telemetry = answer.telemetry
    columns, anomalies = telemetry["columns"], telemetry["anomalies"]
    plot = draw_plot(
        Curve(columns["epochUs"], columns["values"]),
        Marks() if answer.held else Marks(anomalies["epochUs"], anomalies["values"]),
        (answer.start_us, answer.end_us),
        width=shutil.get_terminal_size().columns,
        height=_PLOT_HEIGHT,
    )
    width_us = (answer.end_us - answer.start_us) / max(len(columns["values"]), 1)
    below = f"{telemetry['statistics']['count']:,} samples, a point every {_duration(width_us)}"
    if anomalies["total"] and not answer.held:
        below += f"; × {anomalies['total']:,} beyond {answer.threshold:g} deviations"
    return f"{_title(answer)}\n{plot}\n{below}"


def _title(answer: QueryAnswer) -> str:
    stream = answer.telemetry["stream"]
    return f"{stream['name']} [{stream['unit']}]" if stream["unit"] else str(stream["name"])


def _duration(us: float) -> str:
    """About how long, in the largest unit that fits."""
    for unit, size_us in (("d", 86_400e6), ("h", 3_600e6), ("min", 60e6), ("s", 1e6), ("ms", 1e3)):
        if us >= size_us:
            return f"{us / size_us:.3g} {unit}"
    return f"{us:.3g} µs"


def _shown(value: float | None) -> str:
    return "–" if value is None else f"{value:.10g}"
