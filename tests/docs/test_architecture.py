"""The map is true: its layers are those that are enforced, and what it names is there."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "aetherops"
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
# Modules of the package that stand beside the layers, and are named in the text.
BESIDE = {"telemetry", "migrations", "_lazy", "_moved", "_named", "__init__", "__main__"}


def enforced_layers() -> list[list[str]]:
    """The layers that CI checks, each with the packages that stand side by side in it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    return [re.findall(r"aetherops\.(\w+)", layer) for layer in layers]


def drawn_layers() -> list[list[str]]:
    """The layers of the page's first picture."""
    (picture,) = re.findall(r"## The layers\n\n```\n(.*?)```", PAGE, re.DOTALL)
    return [re.split(r" \| ", line.split("  ")[0]) for line in picture.splitlines()]


def named_places() -> list[tuple[str, str]]:
    """Files of the page, each with the names that stand beside it."""
    rows = re.findall(r"^\| (`[^|]*\.py`[^|]*) \| ([^|]*) \|$", PAGE, re.MULTILINE)
    inline = re.findall(r"`(\w[\w.]*)`[^`]{0,12}\(`([\w/]+\.py)`\)", PAGE)
    pairs = [(file, name) for files, names in rows for file, name in paired(files, names)]
    return pairs + [(file, name) for name, file in inline]


def paired(files: str, names: str) -> list[tuple[str, str]]:
    """One file with all its names, or as many files as names."""
    listed, called = re.findall(r"`([^`]+)`", files), re.findall(r"`([^`]+)`", names)
    return [(listed[min(i, len(listed) - 1)], name) for i, name in enumerate(called)]


def test_the_layers_drawn_are_those_enforced() -> None:
    assert drawn_layers() == enforced_layers()


def test_every_package_stands_in_a_layer() -> None:
    found = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert found - {"__pycache__", "py"} == BESIDE | {
        package for layer in enforced_layers() for package in layer
    }


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`([\w/]+(?:/|\.py))`", PAGE))))
def test_every_path_on_the_page_exists(path: str) -> None:
    assert (PACKAGE / path).exists() or (ROOT / path).exists()


@pytest.mark.parametrize(("file", "name"), named_places())
def test_every_name_stands_in_the_file_beside_it(file: str, name: str) -> None:
    found: list[ast.AST] = [ast.parse((PACKAGE / file).read_text(encoding="utf-8"))]
    for part in name.split("."):
        found = [
            node
            for outer in found
            for node in ast.iter_child_nodes(outer)
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name == part
        ]
    assert found, f"{file} has no {name}"


def test_the_walks_are_found() -> None:
    assert len(named_places()) >= 20
