"""``aetherops workflow migrate``: workflows out of files, over GraphQL, into a platform's store."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Any

from aetherops.cli.client import Client
from aetherops.cli.outcome import FaultFoundError
from aetherops.cli.query.graphql import data_with_patience
from aetherops.cli.workflow.documents import HISTORY, mutation
from aetherops.errors import InvalidInputError, NotFoundError
from aetherops.workflow import SnapshotTaken, WorkflowCreated
from aetherops.workflow.migration import MigratedWorkflow, MigrationReport, Outcome, migrate_all

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from aetherops.cli.connection import Connection
    from aetherops.workflow import WorkflowEvent

__all__ = ["migrate_files", "report_json", "report_text"]


class _RemoteSnapshots:
    """The first events of workflows, read and written over GraphQL."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def get_events(self, workflow_id: str, *, until: int) -> list[WorkflowEvent]:
        """The first events; none where there is no such workflow."""
        asked = {"id": workflow_id, "first": until, "after": 0}
        try:
            data = await data_with_patience(self._client, HISTORY, asked)
        except NotFoundError:
            return []
        return [_first_event(workflow_id, node) for node in data["workflowHistory"]["nodes"]]

    async def append(
        self, event: SnapshotTaken, *, expected_version: int, epoch: int
    ) -> SnapshotTaken:
        """Have a snapshot taken; the platform stores it as version 1 or not at all."""
        asked = {
            "id": event.workflow_id,
            "state": event.state,
            "source": event.source,
            "cause": {"eventId": str(event.event_id)},
        }
        try:
            await data_with_patience(self._client, mutation("captureWorkflow"), asked)
        except FaultFoundError as error:
            raise InvalidInputError("snapshot", event.workflow_id, str(error)) from error
        return event

    async def fence(self, workflow_id: str) -> int:
        """Nothing here: the platform begins an epoch for each snapshot that it stores."""
        return 1


def migrate_files(
    files: Sequence[Path], connection: Connection, *, dry_run: bool, artifacts_as_text: bool
) -> MigrationReport:
    """Capture every workflow of these files; what was captured before is found and left alone."""

    async def migrate() -> MigrationReport:
        async with Client(connection) as client:
            return await migrate_all(
                files,
                _RemoteSnapshots(client),
                dry_run=dry_run,
                progress=_tell if sys.stderr.isatty() else None,
                artifacts_as_text=artifacts_as_text,
            )

    try:
        return asyncio.run(migrate())
    finally:
        if sys.stderr.isatty():
            print(file=sys.stderr)  # noqa: T201


def report_text(report: MigrationReport) -> str:
    """What became of the workflows, by outcome; then those that somebody has to look at."""
    counts = {outcome.value: count for outcome, count in report.counts.items()}
    expected = (
        ("capturable", "known", "refused") if report.dry_run else ("captured", "known", "refused")
    )
    lines = [f"{name:<10} {counts[name]:>6,}" for name in expected]
    for one in report.workflows:
        if one.outcome is Outcome.REFUSED:
            lines.append(f"{one.file}: {one.workflow_id or 'unreadable'}: {one.reason}")
        elif one.as_text:
            lines.append(f"{one.file}: {one.workflow_id}: as text alone: {', '.join(one.as_text)}")
    return "\n".join(lines)


def report_json(report: MigrationReport) -> dict[str, Any]:
    """The same for programs, every workflow named."""
    return {
        "dryRun": report.dry_run,
        "files": report.files,
        "counts": {outcome.value: count for outcome, count in report.counts.items()},
        "workflows": [_one_json(one) for one in report.workflows],
    }


def _one_json(one: MigratedWorkflow) -> dict[str, Any]:
    return {
        "file": one.file,
        "id": one.workflow_id,
        "outcome": one.outcome.value,
        "source": one.source,
        "status": one.status,
        "asText": list(one.as_text),
        "reason": one.reason,
    }


def _first_event(workflow_id: str, node: dict[str, Any]) -> WorkflowEvent:
    """A snapshot as it is stored; of another first event no more than that it is none."""
    if node["kind"] != SnapshotTaken.kind:
        return WorkflowCreated(workflow_id)
    return SnapshotTaken(workflow_id, **node["payload"])


def _tell(one: MigratedWorkflow, file: int, files: int) -> None:
    """Where it has come to, on one line of the terminal."""
    line = f"\rfile {file:,} of {files:,}: {one.workflow_id or one.file} {one.outcome.value}"
    print(f"{line[:79]:<79}", end="", file=sys.stderr, flush=True)  # noqa: T201
