"""Samples as lines of text."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from aetherops.archive.samples import Samples

__all__ = ["CsvWriter", "JsonLinesWriter", "iso_texts"]


def iso_texts(times_us: NDArray[np.int64]) -> list[str]:
    """ISO 8601 text of instants, each as `aetherops.instants.to_iso` writes it."""
    texts = np.empty(len(times_us), object)
    instants = times_us.view("datetime64[us]")
    whole_s, whole_ms = times_us % 1_000_000 == 0, times_us % 1_000 == 0
    seconds, milliseconds, microseconds = whole_s, whole_ms & ~whole_s, ~whole_ms
    texts[seconds] = np.datetime_as_string(instants[seconds], "s", timezone="UTC")
    texts[milliseconds] = np.datetime_as_string(instants[milliseconds], "ms", timezone="UTC")
    texts[microseconds] = np.datetime_as_string(instants[microseconds], "us", timezone="UTC")
    written: list[str] = texts.tolist()
    return written


class CsvWriter:
    """A row a sample, under ``time,value``; the shortest digits that give the same number."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        file.write(b"time,value\n")

    def write(self, samples: Samples) -> None:
        """Take some more samples."""
        rows = zip(iso_texts(samples.times_us), samples.values.tolist(), strict=True)
        self._file.write("".join([f"{time},{value!r}\n" for time, value in rows]).encode())

    def finish(self) -> None:
        """Nothing is left to write."""


class JsonLinesWriter:
    """An object a line: ``{"time": …, "value": …}``."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, samples: Samples) -> None:
        """Take some more samples."""
        rows = zip(iso_texts(samples.times_us), samples.values.tolist(), strict=True)
        # A finite double is written in JSON as in Python.
        lines = [f'{{"time":"{time}","value":{value!r}}}\n' for time, value in rows]
        self._file.write("".join(lines).encode())

    def finish(self) -> None:
        """Nothing is left to write."""
