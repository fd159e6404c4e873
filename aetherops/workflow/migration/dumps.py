"""Files of workflows that programs wrote before events were kept: pickles, and dumps in JSON."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.workflow.migration.capture import Captured, capture_attributes
from aetherops.workflow.migration.layouts import CLASSES, class_of
from aetherops.workflow.migration.pickle_values import PickledObject, read_pickle

__all__ = ["MAX_DUMP_BYTES", "read_dump", "read_dump_file"]

#: The most bytes that one file may have.
MAX_DUMP_BYTES = 16 << 20

#: Keys of a dump in JSON beside the attributes.
_ABOUT = ("workflow_id", "class", "name", "owner")


def read_dump_file(path: Path, *, artifacts_as_text: bool = False) -> list[Captured]:
    """The workflows of a file, whose name without its ending is the id of one that has none.

    Raises
    ------
    InvalidInputError
        It cannot be opened, or as `read_dump` says.
    LimitExceededError
        It is larger than `MAX_DUMP_BYTES`, or as `read_dump` says.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_DUMP_BYTES + 1)
    except OSError as error:
        raise InvalidInputError("file", str(path), f"a file to read ({error.strerror})") from error
    return read_dump(data, path.stem, artifacts_as_text=artifacts_as_text)


def read_dump(data: bytes, name: str, *, artifacts_as_text: bool = False) -> list[Captured]:
    """The workflows that a pickle of any protocol, or JSON in UTF-8, tells. Nothing is executed.

    Parameters
    ----------
    data : of one file.
    name : the id of a workflow that has none.
    artifacts_as_text : keep the ``repr`` of an artifact that JSON cannot hold.

    Raises
    ------
    InvalidInputError
        Neither, or something else is in it; the error names it.
    LimitExceededError
        More than a file, a pickle or an event may hold.
    """
    if len(data) > MAX_DUMP_BYTES:
        raise LimitExceededError("bytes of one dump", MAX_DUMP_BYTES, len(data))
    # No pickle begins like this: { and [ are no opcodes, nor is the space before them.
    is_json = data.lstrip()[:1] in (b"{", b"[")
    told = _told_by_json(data, name) if is_json else _told_by_pickle(data, name)
    captured = [
        capture_attributes(
            cls, attributes, workflow_id, **about, artifacts_as_text=artifacts_as_text
        )
        for workflow_id, cls, attributes, about in told
    ]
    for workflow_id, count in Counter(one.workflow_id for one in captured).items():
        if count > 1:
            raise InvalidInputError("workflow_id", workflow_id, "each workflow once")
    return captured


#: The id, the class, the attributes, and what else is told of a workflow.
_Told = tuple[str, str, dict[str, Any], dict[str, Any]]


def _told_by_pickle(data: bytes, name: str) -> Iterator[_Told]:
    root = read_pickle(data)
    for workflow_id, value in (root if isinstance(root, dict) else {name: root}).items():
        if not isinstance(value, PickledObject):
            raise InvalidInputError(
                "pickle",
                type(value).__name__,
                f"a {' or a '.join(CLASSES)}, or a dictionary of these by workflow id",
            )
        yield workflow_id, value.class_name, value.attributes, {}


def _told_by_json(data: bytes, name: str) -> Iterator[_Told]:
    root = _parsed(data)
    if isinstance(root, dict) and root and all(isinstance(one, dict) for one in root.values()):
        root = [{"workflow_id": workflow_id, **one} for workflow_id, one in root.items()]
    several = isinstance(root, list)
    for i, one in enumerate(root if several else [root]):
        place = f"[{i}]" if several else "dump"
        if not isinstance(one, dict):
            raise InvalidInputError(place, type(one).__name__, "an object")
        if several and "workflow_id" not in one:
            raise InvalidInputError(f"{place}.workflow_id", None, "the id of the workflow")
        yield _told_by_object(one, name, place)


def _told_by_object(told: dict[str, Any], name: str, place: str) -> _Told:
    about: dict[str, Any] = {key: told[key] for key in ("name", "owner") if key in told}
    attributes = {key: value for key, value in told.items() if key not in _ABOUT}
    cls = told["class"] if "class" in told else class_of(attributes, place)
    if cls not in CLASSES:
        raise InvalidInputError(f"{place}.class", cls, f"one of {', '.join(CLASSES)}")
    return told.get("workflow_id", name), cls, attributes, about


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data.decode(), object_pairs_hook=_each_key_once)
    except RecursionError as error:
        raise InvalidInputError("dump", "nested lists", "JSON that a person could read") from error
    except InvalidInputError:
        raise
    except ValueError as error:  # no JSON, no UTF-8, or an integer without end
        raise InvalidInputError("dump", str(error), "JSON in UTF-8, or a pickle") from error


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for key, value in pairs:
        if key in told:
            raise InvalidInputError("dump", key, "each key once")
        told[key] = value
    return told
