"""Samples as CSV, JSON lines, Parquet or Arrow: written as they come, a page at a time."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol, TypeAlias

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from contextlib import AbstractContextManager

    from aetherops.archive.samples import Samples

__all__ = ["SampleWriter", "WriterOpener", "form_of", "opener"]

_FORMS = {
    ".csv": "csv",
    ".json": "json",
    ".jsonl": "json",
    ".ndjson": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
_COLUMNAR = ("parquet", "arrow")


class SampleWriter(Protocol):
    """Takes samples in order of time."""

    def write(self, samples: Samples) -> None:
        """Take some more samples."""
        ...

    def finish(self) -> None:
        """No more come."""
        ...


#: Opens a writer for a stream of this record; what it wrote is complete at the block's end.
WriterOpener: TypeAlias = "Callable[[Mapping[str, Any]], AbstractContextManager[SampleWriter]]"


def form_of(output: Path | None, *, as_csv: bool, as_json: bool) -> str:
    """How samples are to be written: as the options say, else as the file's name does.

    Raises
    ------
    InvalidInputError
        The name says nothing or another thing than the options, or pyarrow is needed and
        not installed.
    """
    asked = "csv" if as_csv else "json" if as_json else None
    if output is None:
        return asked or "csv"
    named = _FORMS.get(output.suffix.lower())
    if named in _COLUMNAR and asked is not None:
        raise InvalidInputError("--output", str(output), f"a file of {asked.upper()}")
    form = asked or named
    if form is None:
        expected = f"a name that ends in one of {', '.join(_FORMS)}, or --csv or --json"
        raise InvalidInputError("--output", str(output), expected)
    if form in _COLUMNAR:
        _check_pyarrow(output)
    return form


def _check_pyarrow(output: Path) -> None:
    try:
        import pyarrow  # noqa: F401
    except ModuleNotFoundError as error:
        expected = (
            "pyarrow to be installed (pip install 'aetherops[columnar]'), or a .csv or .jsonl file"
        )
        raise InvalidInputError("--output", str(output), expected) from error


def opener(form: str, output: Path | None) -> WriterOpener:
    """What opens a writer of a form, on a file or on standard output."""

    @contextmanager
    def open_writer(record: Mapping[str, Any]) -> Iterator[SampleWriter]:
        if output is None:
            writer = _new_writer(form, sys.stdout.buffer, record)
            yield writer
            writer.finish()
            sys.stdout.buffer.flush()
            return
        with _whole_file(output) as file:
            writer = _new_writer(form, file, record)
            yield writer
            writer.finish()

    return open_writer


@contextmanager
def _whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file that bears its name once it is complete; an older one stays until then."""
    if path.exists() and not path.is_file():  # a pipe or a device
        with path.open("wb") as file:
            yield file
        return
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        file = unfinished.open("wb")
    except OSError as error:
        expected = f"a file that can be written ({error.strerror})"
        raise InvalidInputError("--output", str(path), expected) from error
    try:
        with file:
            yield file
        unfinished.replace(path)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _new_writer(form: str, file: BinaryIO, record: Mapping[str, Any]) -> SampleWriter:
    from aetherops.cli.query.text_writers import CsvWriter, JsonLinesWriter

    if form == "csv":
        return CsvWriter(file)
    if form == "json":
        return JsonLinesWriter(file)
    from aetherops.cli.query.columnar import new_columnar_writer

    return new_columnar_writer(form, file, record)
