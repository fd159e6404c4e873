"""The bytes of a CSV file or of standard input, cut into blocks of whole lines."""

from __future__ import annotations

import io
import stat
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from aetherops.archive.csv.lines import is_comment
from aetherops.cli.ingest.reading.live_input import LiveInput
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["STANDARD_INPUT", "CsvFile", "open_csv"]

STANDARD_INPUT = "-"
_HEAD_BYTES = 64 * 1024
_BLOCK_BYTES = 512 * 1024
_LONGEST_LINE = 1024 * 1024
_UTF8_BOM = b"\xef\xbb\xbf"
#: What files begin with that hold no text of ours, and what to call them.
_NO_TEXT = {
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"\x1f\x8b": "a compressed file (gzip: unpack it first, or pipe it from zcat)",
    b"\x28\xb5\x2f\xfd": "a compressed file (zstd: unpack it first)",
    b"PK\x03\x04": "an archive (zip, or a workbook: save it as CSV)",
}


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
    stream: BinaryIO | LiveInput
    head: bytes
    size: int | None
    bytes_read: int = 0
    _waits: bool = False

    @property
    def first_lines(self) -> list[str]:
        """The lines of the head, the last one left out where the head cuts it."""
        whole, newline, rest = self.head.rpartition(b"\n")
        cut = self._is_live or len(self.head) >= _HEAD_BYTES - len(_UTF8_BOM)
        if not cut or not newline:
            whole += newline + rest
        lines = whole.decode("utf-8", errors="replace").split("\n")
        return [line.removesuffix("\r") for line in lines]

    @property
    def waits(self) -> bool:
        """Whether the file has given all that it has for now: its writer is slower than we are."""
        return self._waits

    @property
    def _is_live(self) -> bool:
        return isinstance(self.stream, LiveInput) and not self.stream.ended

    def stop(self) -> None:
        """Let the file end here; also from another thread that waits for it."""
        if isinstance(self.stream, LiveInput):
            self.stream.stop()

    def extend_head(self) -> bool:
        """Wait for more of a live input that has not given a header and a row yet.

        Returns whether there is more to look at now.
        """
        if not self._is_live or self._whole_rows() >= 2 or len(self.head) >= _HEAD_BYTES:
            return False
        chunk = self.stream.read(_HEAD_BYTES)
        self.head += chunk
        self.bytes_read += len(chunk)
        return True

    def _whole_rows(self) -> int:
        lines = self.head.decode("utf-8", errors="replace").split("\n")[:-1]
        return sum(bool(line.strip()) and not is_comment(line) for line in lines)

    def blocks(self) -> Iterator[bytes]:
        """Whole lines, each ended by a line feed, some half a megabyte at a time; once.

        A live input's block is what has come within a second.
        """
        rest, chunk = b"", self.head
        self._waits = self._is_live
        while chunk:
            cut = chunk.rfind(b"\n") + 1
            if cut:
                yield rest + chunk[:cut]
                rest = chunk[cut:]
            else:
                rest += chunk
            self._check_line(rest)
            chunk = self.stream.read(_BLOCK_BYTES)
            self._waits = self._is_live and len(chunk) < _BLOCK_BYTES
            self.bytes_read += len(chunk)
        # A line that was being written when the input was stopped is no line yet.
        if rest and not (isinstance(self.stream, LiveInput) and self.stream.stopped):
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
        yield _begin("standard input", _standard_input(), None)
        return
    try:
        file = Path(path).open("rb")  # noqa: SIM115
    except OSError as error:
        raise InvalidInputError("FILE", path, f"a readable file ({error.strerror})") from error
    with file:
        status = Path(path).stat()
        size = status.st_size if stat.S_ISREG(status.st_mode) else None
        yield _begin(path, file if size is not None else LiveInput(file.fileno()), size)


def _standard_input() -> BinaryIO | LiveInput:
    if sys.stdin is None:
        raise InvalidInputError("FILE", STANDARD_INPUT, "standard input that is open")
    try:
        return LiveInput(sys.stdin.fileno())
    except (AttributeError, io.UnsupportedOperation):  # not a file of the system
        return sys.stdin.buffer


def _begin(name: str, stream: BinaryIO | LiveInput, size: int | None) -> CsvFile:
    head = stream.read(_HEAD_BYTES)
    for begin, what in _NO_TEXT.items():
        if head.startswith(begin):
            raise InvalidInputError(name, what, "UTF-8 text")
    file = CsvFile(name, stream, head.removeprefix(_UTF8_BOM), size, len(head))
    while not file.head.strip() and file.extend_head():
        pass
    if not file.head.strip():
        raise InvalidInputError(name, "an empty file", "rows with a time and a value")
    return file
