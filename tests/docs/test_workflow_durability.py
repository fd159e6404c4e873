"""The page about durability names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "workflow-durability.md").read_text(encoding="utf-8")
#: Each row that names tests: the file, and their names.
NAMED = [
    (file, name)
    for file, names in re.findall(r"\| `(test_\w+\.py)`: (.*?) \|$", PAGE, re.MULTILINE)
    for name in re.findall(r"`(test_\w+)", names)
]


def test_the_page_names_tests():
    assert len(NAMED) > 30


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_test_that_the_page_names_exists(file, name):
    found = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob(file)]
    assert any(f"def {name}(" in text for text in found)
