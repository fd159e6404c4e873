"""The instance file: how other commands on this machine find the running platform."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from aetherops.errors import InvalidInputError, UnreachableError
from aetherops.runtime.data_dir.locks import exclusive, is_held
from aetherops.runtime.data_dir.private_files import prepare_data_dir, write_private

__all__ = [
    "Instance",
    "NotRunningError",
    "instance_file",
    "own_instance",
    "read_instance",
    "remove_instance",
    "write_instance",
]

_FILE = "instance.json"
_LOCK = "instance.lock"


@dataclass(frozen=True, slots=True)
class Instance:
    """A running platform.

    Parameters
    ----------
    url : base URL of its HTTP application.
    token : bearer token that its commands use; kept out of the ``repr``.
    pid : its process id.
    """

    url: str
    token: str = field(repr=False)
    pid: int


class NotRunningError(UnreachableError):
    """No instance runs on a data directory.

    Parameters
    ----------
    data_dir : where one was looked for.
    """

    def __init__(self, data_dir: Path) -> None:
        super().__init__("platform", str(data_dir), "none runs there")
        self.args = (data_dir,)

    def __str__(self) -> str:
        return (
            f"no AetherOps runs on {self.address}: start one with `aetherops up`, "
            "or name one by --url and --token"
        )


def instance_file(data_dir: Path) -> Path:
    """Where a running platform keeps its address and token, readable by its owner."""
    return data_dir / _FILE


@contextmanager
def own_instance(data_dir: Path) -> Iterator[None]:
    """Claim a data directory for one platform, as long as the block lasts.

    Raises
    ------
    AlreadyRunningError
        Another platform runs on it.
    """
    with exclusive(prepare_data_dir(data_dir) / _LOCK):
        yield


def write_instance(data_dir: Path, instance: Instance) -> None:
    """Publish the instance in a file that only its owner may read, whole or not at all."""
    write_private(instance_file(data_dir), json.dumps(asdict(instance)))


def read_instance(data_dir: Path) -> Instance:
    """The instance that runs on a data directory.

    Raises
    ------
    NotRunningError
        None runs there; the file that a killed one left counts for nothing.
    InvalidInputError
        The directory belongs to another user.
    """
    try:
        fields = json.loads(instance_file(data_dir).read_text(encoding="utf-8"))
        instance = Instance(str(fields["url"]), str(fields["token"]), int(fields["pid"]))
    except PermissionError as error:
        raise InvalidInputError(
            "data_dir", str(data_dir), f"a directory of yours ({error.strerror})"
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        raise NotRunningError(data_dir) from None
    if not is_held(data_dir / _LOCK):
        raise NotRunningError(data_dir)
    return instance


def remove_instance(data_dir: Path) -> None:
    """Withdraw the instance file; harmless where there is none."""
    instance_file(data_dir).unlink(missing_ok=True)
