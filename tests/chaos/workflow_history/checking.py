"""What must hold of a history, whatever was killed while it was made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from workflow_history.notes import Ack, Fence, Note, Refusal, Seen

__all__ = ["HistoryCheck", "Row"]

_MOST_TOLD = 20


class Row(NamedTuple):
    """A stored event.

    Parameters
    ----------
    event_id, operation : hexadecimal.
    index, size : which event of its append, and of how many.
    epoch : in which it was appended; None outside of one.
    """

    position: int
    recorded_us: int
    workflow_id: str
    version: int
    event_id: str
    operation: str
    index: int
    size: int
    epoch: int | None = None


class HistoryCheck:
    """Takes all rows in order, then what was noted and seen; `faults` says what is wrong.

    Only the first faults are kept, `count` counts them all.
    """

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.count = 0
        self.events = 0
        self._last = Row(0, 0, "", 0, "", "", 0, 1)
        self._ids: list[str] = []
        self._known_ids: set[str] = set()
        self._recorded: list[int] = []
        self._versions: dict[str, int] = {}
        self._operations: set[str] = set()
        self._epochs: dict[str, list[tuple[int, int]]] = {}

    def take(self, rows: Iterable[Row]) -> None:
        """The next rows, by position."""
        for row in rows:
            self._order(row)
            self._once(row)
            if row.epoch is not None:
                self._epochs.setdefault(row.workflow_id, []).append((row.version, row.epoch))
            self._ids.append(row.event_id)
            self._recorded.append(row.recorded_us)
            self.events += 1
            self._last = row

    def end(self) -> None:
        """No row is left."""
        if self._last.index != self._last.size - 1:
            self._fault(f"append {self._last.operation} is stored in part")

    def noted(self, notes: Iterable[Note]) -> int:
        """What one writer noted; returns how many answers that was."""
        count = 0
        for note in notes:
            count += 1
            if isinstance(note, Ack):
                self._stands(note)
            elif isinstance(note, Refusal):
                if note.operation in self._operations:
                    self._fault(f"append {note.operation} was refused ({note.why}) and is stored")
            else:
                self._fenced(note)
        return count

    def seen(self, reader: str, seen: Iterable[Seen]) -> None:
        """What one reader saw: each event, in order, none left out."""
        position = 0
        for event in seen:
            position += 1
            if event.position != position:
                self._fault(f"reader {reader} saw {event.position} where {position} was next")
                return
            if position > self.events:
                self._fault(f"reader {reader} saw position {position}, which is not there")
                return
            if (event.event_id, event.recorded_us) != self._at(position):
                self._fault(f"reader {reader} saw another event at position {position}")
        if position != self.events:
            self._fault(f"reader {reader} saw {position} events of {self.events}")

    def _order(self, row: Row) -> None:
        if row.position != self.events + 1:
            self._fault(f"position {row.position} comes where {self.events + 1} was next")
        if row.recorded_us <= self._last.recorded_us:
            self._fault(f"position {row.position} was recorded no later than the one before")
        version = self._versions.get(row.workflow_id, 0) + 1
        if row.version != version:
            self._fault(f"{row.workflow_id}: version {row.version} where {version} was next")
        self._versions[row.workflow_id] = row.version

    def _once(self, row: Row) -> None:
        if row.event_id in self._known_ids:
            self._fault(f"event {row.event_id} is stored twice")
        self._known_ids.add(row.event_id)
        last = self._last
        if row.index:
            before = (last.operation, last.index + 1, last.workflow_id)
            if (row.operation, row.index, row.workflow_id) != before:
                self._fault(f"append {row.operation} is stored in part or in pieces")
            return
        if last.index != last.size - 1:
            self._fault(f"append {last.operation} is stored in part")
        if row.operation in self._operations:
            self._fault(f"append {row.operation} is stored twice")
        self._operations.add(row.operation)

    def _stands(self, ack: Ack) -> None:
        found = self._ids[ack.position - 1 : ack.position - 1 + len(ack.event_ids)]
        recorded_us = self._recorded[ack.position - 1 : ack.position]
        if found != ack.event_ids or recorded_us != [ack.recorded_us]:
            self._fault(
                f"{ack.workflow_id}: an acknowledged append is not at position {ack.position}"
            )

    def _fenced(self, fence: Fence) -> None:
        late = [
            (version, epoch)
            for version, epoch in self._epochs.get(fence.workflow_id, [])
            if version > fence.version and epoch < fence.epoch
        ]
        if late:
            version, epoch = late[0]
            self._fault(
                f"{fence.workflow_id}: version {version} is of epoch {epoch}, and epoch "
                f"{fence.epoch} had begun at version {fence.version}"
            )

    def _at(self, position: int) -> tuple[str, int]:
        return self._ids[position - 1], self._recorded[position - 1]

    def _fault(self, text: str) -> None:
        self.count += 1
        if len(self.faults) < _MOST_TOLD:
            self.faults.append(text)
