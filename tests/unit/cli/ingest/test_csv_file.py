"""Files and standard input, cut into blocks of whole lines."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings, strategies as st

from aetherops.cli.ingest.reading.csv_file import CsvFile, open_csv
from aetherops.errors import InvalidInputError


def blocks_of(path: Path) -> list[bytes]:
    with open_csv(str(path)) as file:
        return list(file.blocks())


class ShortReads(io.RawIOBase):
    """A pipe that gives a few bytes at a time."""

    def __init__(self, data: bytes, most: int) -> None:
        self._data, self._most = io.BytesIO(data), most

    def read(self, size: int = -1) -> bytes:
        return self._data.read(self._most if size < 0 else min(size, self._most))


@given(st.text(alphabet="ab\n,", min_size=1, max_size=60), st.integers(1, 20), st.integers(0, 20))
@settings(deadline=None)
def test_blocks_are_whole_lines_and_lose_nothing(text: str, most: int, head: int) -> None:
    data = text.encode()
    stream = ShortReads(data[head:], most)
    blocks = list(CsvFile("pipe", stream, data[:head] or stream.read(), None).blocks())
    assert all(block.endswith(b"\n") for block in blocks)
    assert b"".join(blocks) == (data if data.endswith(b"\n") else data + b"\n")


def test_a_byte_order_mark_is_no_part_of_the_first_column(tmp_path: Path) -> None:
    path = tmp_path / "bom.csv"
    path.write_bytes(b"\xef\xbb\xbfutc,value\n1,2\n")
    with open_csv(str(path)) as file:
        assert file.first_lines[0] == "utc,value"
        assert b"".join(file.blocks()) == b"utc,value\n1,2\n"


def test_a_long_file_is_read_in_blocks_to_its_last_byte(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    path.write_bytes(b"2026-01-31T12:00:00Z,1.5\r\n" * 100_000 + b"the end")
    with open_csv(str(path)) as file:
        assert len(file.first_lines) > 1_000
        assert file.first_lines[-1] == "2026-01-31T12:00:00Z,1.5"
        blocks = list(file.blocks())
        assert file.bytes_read == file.size == path.stat().st_size
    assert len(blocks) > 4
    assert b"".join(blocks) == path.read_bytes() + b"\n"


def test_standard_input_is_a_file_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"t,v\n1,2\n")))
    with open_csv("-") as file:
        assert (file.name, file.size) == ("standard input", None)
        assert list(file.blocks()) == [b"t,v\n1,2\n"]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.csv"
    path.write_bytes(content)
    with pytest.raises(InvalidInputError, match="empty"):
        blocks_of(path)


def test_utf16_text_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "utf16.csv"
    path.write_text("utc,value\n", encoding="utf-16")
    with pytest.raises(InvalidInputError, match="UTF-16"):
        blocks_of(path)


@pytest.mark.parametrize("begin", [b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", b"PK\x03\x04"])
def test_a_compressed_file_is_called_one(tmp_path: Path, begin: bytes) -> None:
    path = tmp_path / "packed.csv"
    path.write_bytes(begin + b"\x00" * 20)
    with pytest.raises(InvalidInputError, match=r"gzip|zstd|zip"):
        blocks_of(path)


def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InvalidInputError, match="FILE"):
            blocks_of(path)


def test_a_line_without_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "line.csv"
    path.write_bytes(b"x" * 3_000_000)
    with pytest.raises(InvalidInputError, match="a line of more than"):
        blocks_of(path)
