"""Damaged files of embedded servers: told by name, with the way back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from aetherops.runtime.embedded.child import ServerStartError

__all__ = ["WAY_BACK", "damaged", "damaged_cluster_file"]

WAY_BACK = 'docs/operations.md, "Disaster recovery"'
_SHOWN_LINES = 4

#: What PostgreSQL says as it gives up, and the file of the cluster that it means.
_CLUSTER_FILES = (
    (
        re.compile(r"could not locate a valid checkpoint record|invalid .*checkpoint record"),
        "pg_wal",
    ),
    (
        re.compile(r"pg_control|checksum in control file|files are incompatible"),
        "global/pg_control",
    ),
    (re.compile(r'invalid page in block \d+ of relation "([^"]+)"'), None),
    (re.compile(r'relation mapping file "([^"]+)"'), None),
    (re.compile(r'(?:FATAL|PANIC):(?:.|\n)*could not \w+ file "([^"]+)"', re.IGNORECASE), None),
)
_NO_DAMAGE = re.compile(r"No space left|Permission denied|lock file")


def damaged(server: str, path: Path, told: Iterable[str]) -> ServerStartError:
    """The error that names a damaged path, what the server says of it, and the way back."""
    lines = "".join(f"\n  {line}" for line in list(told)[-_SHOWN_LINES:])
    return ServerStartError(
        server, f"{path} is damaged; nothing was changed. The way back: {WAY_BACK}.{lines}"
    )


def damaged_cluster_file(cluster: Path, told: str) -> Path | None:
    """The file of a PostgreSQL cluster that kept it from starting, where it told of one."""
    if _NO_DAMAGE.search(told):
        return None
    for pattern, name in _CLUSTER_FILES:
        if match := pattern.search(told):
            return cluster / (name or match[1])
    return None
