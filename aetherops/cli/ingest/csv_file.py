"""The bytes of a CSV file or of standard input, cut into blocks of whole lines."""

from __future__ import annotations

import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["STANDARD_INPUT", "CsvFile", "open_csv"]

STANDARD_INPUT = "-"
_HEAD_BYTES = 64 * 1024
_BLOCK_BYTES = 512 * 1024
_LONGEST_LINE = 1024 * 1024
_UTF8_BOM = b"\xef\xbb\xbf"
_UTF16_BOMS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(slots=True)
class CsvFile:
    """An open file.

    Parameters
    ----------
    name : for messages.
    stream : its bytes after the head.
    head : its first bytes, without byte order mark.
    size : in bytes, ``None`` where that is unknown.
    bytes_read : how far it was read.
    """

    name: str
    stream: BinaryIO
    head: bytes
    size: int | None
    bytes_read: int = 0

    @property
    def first_lines(self) -> list[str]:
        """The lines of the head, the last one left out where the head cuts it."""
        whole, newline, rest = self.head.rpartition(b"\n")
        if len(self.head) < _HEAD_BYTES - len(_UTF8_BOM) or not newline:
            whole += newline + rest
        lines = whole.decode("utf-8", errors="replace").split("\n")
        return [line.removesuffix("\r") for line in lines]

    def blocks(self) -> Iterator[bytes]:
        """Whole lines, each ended by a line feed, some half a megabyte at a time; once."""
        rest, chunk = b"", self.head
        while chunk:
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield rest + chunk[:cut]
                rest = chunk[cut:]
            else:
                rest += chunk
            self._check_line(rest)
            chunk = self.stream.read(_BLOCK_BYTES)
            self.bytes_read += len(chunk)
        if rest:
            yield rest + b"\n"

    def _check_line(self, rest: bytes) -> None:
        if len(rest) > _LONGEST_LINE:
            raise InvalidInputError(
                self.name, f"a line of more than {_LONGEST_LINE:,} bytes", "text of shorter lines"
            )


@contextmanager
def open_csv(path: str) -> Iterator[CsvFile]:
    """Open a file, or standard input for ``-``.

    Raises
    ------
    InvalidInputError
        There is no such file, it cannot be read, is empty, or is UTF-16 text.
    """
    if path == STANDARD_INPUT:
        yield _begin("standard input", sys.stdin.buffer, None)
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115
    except OSError as error:
        raise InvalidInputError("FILE", path, f"a readable file ({error.strerror})") from error
    with file:
        status = Path(path).stat()
        yield _begin(path, file, status.st_size if stat.S_ISREG(status.st_mode) else None)


def _begin(name: str, stream: BinaryIO, size: int | None) -> CsvFile:
    head = stream.read(_HEAD_BYTES)
    if head.startswith(_UTF16_BOMS):
        raise InvalidInputError(name, "UTF-16 text", "UTF-8 text")
    file = CsvFile(name, stream, head.removeprefix(_UTF8_BOM), size, len(head))
    if not file.head.strip():
        raise InvalidInputError(name, "an empty file", "rows with a time and a value")
    return file
