"""Read a CSV file into columns with no server running: `python examples/read_csv.py [FILE]`.

Needs NumPy, which `pip install -e ".[server]"` brings.

The same parser serves `aetherops ingest`: it finds delimiter, header and columns by itself,
keeps the good rows and names the bad ones.
"""

from __future__ import annotations

import sys
from pathlib import Path

from aetherops.archive.csv.layout import LayoutOptions, detect_layout
from aetherops.archive.csv.samples import SampleParser
from aetherops.instants import to_iso

TEXT = """utc;value
2026-01-31T12:00:00Z;1.5
2026-01-31T12:00:01Z;
2026-01-31T12:00:02Z;2.5
"""


def main() -> None:
    """Print the samples of a file, or of a small text, and the rows that gave none."""
    text = Path(sys.argv[1]).read_text(encoding="utf-8") if len(sys.argv) > 1 else TEXT
    layout = detect_layout(text.splitlines(), LayoutOptions())
    parsed = SampleParser(layout).parse(text.encode())
    print(f"{layout.value_column} over {layout.time_column} ({layout.times})")
    for time_us, value in zip(parsed.samples.times_us, parsed.samples.values, strict=True):
        print(to_iso(int(time_us)), value)
    for row in parsed.rejected:
        print(f"line {row.line}: {row.reason}: {row.text!r}")


if __name__ == "__main__":
    main()
