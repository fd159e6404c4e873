"""Rows a second of both ways to parse CSV: `python tests/benchmarks/csv_figures.py`."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from aetherops.archive.csv.layout import LayoutOptions, detect_layout
from aetherops.archive.csv.samples import parse_by_column, parse_by_row

ROWS = 16_384
START = datetime(2022, 5, 20, 14)  # noqa: DTZ001


def files() -> dict[str, str]:
    """A text of each kind, header included."""
    chance = random.Random(1)
    times = [START + timedelta(seconds=i, milliseconds=599) for i in range(ROWS)]
    iso = [f"{t.isoformat(timespec='milliseconds')}Z" for t in times]
    values = [chance.gauss(300, 20) for _ in range(ROWS)]
    columns = [",".join(f"{chance.gauss(3, 2):.2f}" for _ in range(6)) for _ in range(ROWS)]
    bodies = {
        "ISO times, six decimals": [f"{t},{v:.6f}" for t, v in zip(iso, values, strict=True)],
        "ISO times, values of 17 digits": [f"{t},{v!r}" for t, v in zip(iso, values, strict=True)],
        "epoch seconds with fraction": [
            f"{1_652_997_600 + i}.599,{v:.6f}" for i, v in enumerate(values)
        ],
        "seven columns": [f"{t},{c}" for t, c in zip(iso, columns, strict=True)],
    }
    headers = {"seven columns": "time,a,b,c,d,e,f"}
    return {
        name: "\n".join([headers.get(name, "time,value"), *rows, ""])
        for name, rows in bodies.items()
    }


def rows_per_s(parse: Callable[[], object], rounds: int = 15) -> float:
    """The best of some rounds."""
    best_s = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        assert parse() is not None
        best_s = min(best_s, time.perf_counter() - began)
    return ROWS / best_s


def main() -> None:
    """Print a line a kind of file."""
    print(f"{'million rows/s':32}{'by column':>12}{'row by row':>12}")
    for name, text in files().items():
        layout = detect_layout(text.split("\n")[:200], LayoutOptions(value_column="2"))
        body = text.partition("\n")[2].encode()
        by_column = rows_per_s(lambda: parse_by_column(body, layout))  # noqa: B023
        by_row = rows_per_s(lambda: parse_by_row(body, layout, 2))  # noqa: B023
        print(f"{name:32}{by_column / 1e6:12.2f}{by_row / 1e6:12.2f}")


if __name__ == "__main__":
    main()
