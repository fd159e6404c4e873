"""The page about the interface: its examples run, and no name is missing from it."""

from __future__ import annotations

import doctest
from pathlib import Path

import aetherops

PAGE = Path(__file__).parents[2] / "docs" / "interface.md"


def test_the_examples_give_the_answers_shown() -> None:
    results = doctest.testfile(str(PAGE), module_relative=False, encoding="utf-8")
    assert results.attempted >= 3
    assert results.failed == 0


def test_every_name_of_the_package_is_explained() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for module, names in aetherops._NAMES_BY_MODULE.items():
        within = module.removeprefix("aetherops.").removeprefix("services.")
        prefix = f"{within}." if ".services." in module else ""
        for name in names:
            # A queue's item is explained with its queue.
            assert f"`{prefix}{name}`" in page or name == "QueueItem", name
