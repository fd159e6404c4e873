"""The documentation's diagram is drawn from the table that drives the machine."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path
from typing import Any

import pytest

from aetherops.errors import InvalidInputError
from aetherops.resilience import TRANSITIONS
from aetherops.resilience.breakers.diagram import BEGIN, END, draw, main, write_into

DOCUMENT = Path(__file__).parents[4] / "docs" / "resilience.md"


def test_the_documentation_shows_the_table_as_it_is() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    assert write_into(text) == text, (
        "run python -m aetherops.resilience.breakers.diagram docs/resilience.md"
    )


def test_every_transition_is_drawn_once() -> None:
    diagram, table = draw().split("| from |")
    for (source, trigger), target in TRANSITIONS.items():
        assert table.count(f"| {source} | {trigger} | {target} |") == 1
        assert trigger in diagram
    assert diagram.count(" --> ") == 1 + len({(s, t) for (s, _), t in TRANSITIONS.items()})


def test_it_is_printed_or_written_between_the_marks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "page.md"
    document.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    main([str(document)])
    assert document.read_text() == f"before\n{BEGIN}\n{draw()}{END}\nafter\n"
    main([])
    assert capsys.readouterr().out == draw()


def test_it_runs_as_a_module(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "aetherops.resilience.breakers.diagram")
    monkeypatch.setattr(sys, "argv", ["diagram"])
    runpy.run_module("aetherops.resilience.breakers.diagram", run_name="__main__")
    assert capsys.readouterr().out == draw()


@pytest.mark.parametrize("text", ["", BEGIN, END])
def test_a_document_without_marks_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        write_into(text)


async def test_the_documentations_examples_run(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    namespace: dict[str, Any] = {}
    exec("\n".join(blocks), namespace)
    assert await namespace["main"]() == ["Kourou: clear"] * 2 + [
        "Kourou: 21 °C",
        "Vandenberg: 21 °C",
    ]
    assert namespace["wind"] == "Kourou: 3 m/s"
    assert await namespace["weather"] == "Kourou: clear"
    assert namespace["again"].state == "open"
    assert namespace["http"].snapshot().totals.success == 1
