"""Units and kinds of streams in PostgreSQL: read, changed by operators, and refused otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.archive.metadata import Metadata
from aetherops.audit.postgres import append_in
from aetherops.errors import AetherOpsError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from aetherops.archive.metadata import StreamConflictError
    from aetherops.archive.stream import StreamName
    from aetherops.audit.trail import Authorship
    from aetherops.connections.postgres import PostgresConnection

__all__ = ["RefusedBatchesError", "change_metadata", "note_refused", "read_metadata"]

_READ = "SELECT name, unit, kind FROM stream WHERE name = ANY($1::text[])"
_LOCK = "SELECT unit, kind FROM stream WHERE name = $1 FOR NO KEY UPDATE"
# A trigger keeps what any other statement says of a stream from counting (migration 0003).
_ON_PURPOSE = "SET LOCAL aetherops.describing = 'on'"
_CHANGE = "UPDATE stream SET unit = $2, kind = $3 WHERE name = $1"
_NOTE = "INSERT INTO refusal (batch_id, reason) VALUES ($1, $2)"


class RefusedBatchesError(AetherOpsError):
    """Some batches of a transaction cannot be stored; the others can, without them.

    Parameters
    ----------
    refused : why, by batch id.
    """

    def __init__(self, refused: Mapping[UUID, StreamConflictError]) -> None:
        self.refused = dict(refused)
        super().__init__(self.refused)

    def __str__(self) -> str:
        return f"{len(self.refused)} batches are refused"


async def read_metadata(
    connection: PostgresConnection, names: Sequence[StreamName]
) -> dict[StreamName, Metadata]:
    """What the store says of those of the streams that there are."""
    by_text = {str(name): name for name in names}
    rows = await connection.fetch(_READ, list(by_text))
    return {by_text[row[0]]: Metadata(row[1], row[2]) for row in rows}


async def change_metadata(
    connection: PostgresConnection,
    name: StreamName,
    author: Authorship,
    unit: str | None,
    kind: str | None,
) -> None:
    """Change what is said of a stream, and append who did it; runs inside a transaction."""
    row = await connection.fetchrow(_LOCK, str(name))
    if row is None:
        raise NotFoundError("stream", str(name))
    before = Metadata(*row)
    after = before.changed(unit, kind)
    if after != before:
        await connection.execute(_ON_PURPOSE)
        await connection.execute(_CHANGE, str(name), *after)
        await append_in(connection, before.entry_of(after, name, author))


async def note_refused(
    connection: PostgresConnection, refused: Mapping[UUID, StreamConflictError]
) -> None:
    """Keep why batches were not stored, for who asks for their receipts."""
    if refused:
        await connection.executemany(_NOTE, [(one, str(why)) for one, why in refused.items()])
