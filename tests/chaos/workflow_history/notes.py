"""What writers and readers note down in files of their own, which outlive them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias
from uuid import UUID

__all__ = ["Ack", "Fence", "Note", "NoteBook", "Refusal", "Seen", "read_notes", "read_seen"]

_FLUSH_S = 0.02


class Ack(NamedTuple):
    """An append that was answered: it must stand, once, where the answer said."""

    workflow_id: str
    version: int
    position: int
    recorded_us: int
    event_ids: list[str]


class Refusal(NamedTuple):
    """An append that was refused: none of it may stand."""

    operation: str
    why: str


class Fence(NamedTuple):
    """An epoch that had begun when the workflow had this version: none earlier appends after."""

    workflow_id: str
    epoch: int
    version: int


class Seen(NamedTuple):
    """An event as a reader saw it."""

    position: int
    event_id: str
    recorded_us: int


Note: TypeAlias = Ack | Refusal | Fence
_KINDS: dict[str, type[Ack] | type[Refusal] | type[Fence]] = {
    kind.__name__: kind for kind in (Ack, Refusal, Fence)
}


class NoteBook:
    """A file of notes, synchronised to disk in groups."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._lines: list[str] = []

    def note(self, note: Note) -> None:
        """Write a note down with the next group."""
        self._lines.append(json.dumps([type(note).__name__, *note]) + "\n")

    async def keep(self) -> None:
        """Write groups until cancelled."""
        while True:
            await asyncio.sleep(_FLUSH_S)
            await asyncio.to_thread(self.flush)

    def flush(self) -> None:
        """Write down what waits."""
        lines, self._lines = self._lines, []
        if lines:
            os.write(self._file, "".join(lines).encode())
            os.fsync(self._file)


def read_notes(path: Path) -> Iterator[Note]:
    """The notes of a file, without a last one that was cut."""
    for line in _whole_lines(path):
        kind, *fields = json.loads(line)
        yield _KINDS[kind](*fields)


def write_seen(file: int, position: int, event_id: UUID, recorded_us: int) -> None:
    """Write down an event at once: whoever comes after this reader goes on behind it."""
    os.write(file, f"{position} {event_id.hex} {recorded_us}\n".encode())


def read_seen(path: Path) -> Iterator[Seen]:
    """What a reader, and those who took its place, saw, in their order."""
    for line in _whole_lines(path):
        position, event_id, recorded_us = line.split()
        yield Seen(int(position), event_id, int(recorded_us))


def last_seen(path: Path) -> Seen:
    """The last event in a reader's file, a cut line after it removed."""
    if not path.exists():
        return Seen(0, "", 0)
    with path.open("r+b") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - 4096, 0))
        tail = file.read()
        file.truncate(size - len(tail) + tail.rfind(b"\n") + 1)
    lines = tail[: tail.rfind(b"\n") + 1].decode().splitlines()
    if not lines:
        return Seen(0, "", 0)
    position, event_id, recorded_us = lines[-1].split()
    return Seen(int(position), event_id, int(recorded_us))


def _whole_lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        for line in file:
            if line.endswith("\n"):
                yield line
