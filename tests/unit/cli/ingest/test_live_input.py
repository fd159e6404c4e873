"""A pipe that is written slowly: what came is given within a second."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from aetherops.cli.ingest.reading.csv_file import CsvFile, open_csv
from aetherops.cli.ingest.reading.live_input import LiveInput


class Pipe:
    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()

    def write(self, data: bytes) -> None:
        os.write(self.writer, data)

    def close(self) -> None:
        os.close(self.writer)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    opened = Pipe()
    yield opened
    os.close(opened.reader)


def test_what_came_is_given_before_the_writer_ends(pipe: Pipe) -> None:
    pipe.write(b"one\n")
    live = LiveInput(pipe.reader, patience_s=0.05)
    assert live.read(1_000) == b"one\n"
    assert not live.ended
    pipe.write(b"two")
    pipe.close()
    assert live.read(1_000) == b"two"
    assert live.ended
    assert live.read(1_000) == b""


def test_no_more_is_given_than_was_asked_for(pipe: Pipe) -> None:
    pipe.write(b"abcdef")
    pipe.close()
    live = LiveInput(pipe.reader)
    assert [live.read(4), live.read(4), live.read(4)] == [b"abcd", b"ef", b""]


def test_a_stop_ends_a_reader_that_waits(pipe: Pipe) -> None:
    live = LiveInput(pipe.reader)
    threading.Timer(0.1, live.stop).start()
    assert live.read(1_000) == b""
    assert live.ended
    pipe.close()


def live_file(pipe: Pipe, head: bytes) -> CsvFile:
    return CsvFile("pipe", LiveInput(pipe.reader, patience_s=0.05), head, None)


def test_blocks_of_a_live_input_tell_that_it_waits(pipe: Pipe) -> None:
    file = live_file(pipe, b"t,v\n1,2\n")
    blocks = file.blocks()
    assert (next(blocks), file.waits) == (b"t,v\n1,2\n", True)
    pipe.write(b"3,4\n5")
    assert (next(blocks), file.waits) == (b"3,4\n", True)
    pipe.write(b",6\n")
    pipe.close()
    assert list(blocks) == [b"5,6\n"]


def test_a_line_under_way_when_the_input_is_stopped_is_no_line(pipe: Pipe) -> None:
    file = live_file(pipe, b"t,v\n1,2\n3,4")
    blocks = file.blocks()
    assert next(blocks) == b"t,v\n1,2\n"
    file.stop()
    assert list(blocks) == []
    pipe.close()


def test_a_head_grows_until_it_holds_a_header_and_a_row(pipe: Pipe) -> None:
    file = live_file(pipe, b"t,v\n")
    pipe.write(b"1,2\n3")
    assert file.extend_head()
    assert file.first_lines == ["t,v", "1,2"]
    assert not file.extend_head()
    pipe.close()


def test_a_named_pipe_is_a_live_input_too(tmp_path: Path) -> None:
    path = tmp_path / "fifo"
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as fifo:
            fifo.write(b"t,v\n1,2\n")
            time.sleep(1.5)
            fifo.write(b"3,4\n")

    writer = threading.Thread(target=write)
    writer.start()
    with open_csv(str(path)) as file:
        assert list(file.blocks()) == [b"t,v\n1,2\n", b"3,4\n"]
    writer.join()
