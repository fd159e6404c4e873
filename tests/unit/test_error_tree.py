"""The tree drawn in `aetherops.errors` is the tree that there is."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator

import aetherops
from aetherops import errors
from aetherops.errors import AetherOpsError

_LINE = re.compile(r"^(?P<indent>[│├└─ ]*)(?P<name>\w+Error)\b(?P<about>.*)$")


def drawn() -> dict[str, str]:
    """The parent of each error in the drawing; the root has none."""
    parents: dict[str, str] = {}
    path: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = _LINE.match(line.removeprefix("    ")) if line.startswith("    ") else None
        if found is None:
            continue
        depth, name = len(found["indent"]), found["name"]
        path = [(other, parent) for other, parent in path if other < depth]
        parents[name] = path[-1][1] if path else ""
        path.append((depth, name))
    return parents


def places() -> dict[str, str]:
    """The last word of each line that names a module, by error."""
    lines = map(_LINE.match, (line.strip() for line in (errors.__doc__ or "").splitlines()))
    return {line["name"]: line["about"] for line in lines if line}


def defined() -> Iterator[type[AetherOpsError]]:
    """Every error of every module."""
    for module in pkgutil.walk_packages(aetherops.__path__, "aetherops."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    waiting: list[type[AetherOpsError]] = [AetherOpsError]
    while waiting:
        error = waiting.pop()
        if error.__module__.startswith("aetherops."):
            yield error
            waiting += error.__subclasses__()


def test_every_error_stands_in_the_drawing_under_its_parent() -> None:
    there = {
        error.__name__: "" if error is AetherOpsError else error.__bases__[0].__name__
        for error in defined()
    }
    assert drawn() == there


def test_an_error_of_another_module_is_drawn_with_it() -> None:
    told = places()
    for error in defined():
        module = error.__module__.removeprefix("aetherops.")
        stands = f"({module})" in told[error.__name__]
        assert stands != (module == "errors"), f"{error.__name__} stands in {module}"
