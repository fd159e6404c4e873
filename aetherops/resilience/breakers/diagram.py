"""The transition diagram and table, drawn from the table that drives the machine.

``python -m aetherops.resilience.breakers.diagram`` prints them; with ``docs/resilience.md`` it
writes them between that file's marks.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

from aetherops.errors import InvalidInputError
from aetherops.resilience.breakers.states import TRANSITIONS, State

__all__ = ["BEGIN", "END", "draw", "write_into"]

BEGIN = "<!-- transitions: begin (written by python -m aetherops.resilience.breakers.diagram) -->"
END = "<!-- transitions: end -->"

_IDS = {State.CLOSED: "Closed", State.OPEN: "Open", State.HALF_OPEN: "HalfOpen"}


def draw() -> str:
    """A Mermaid state diagram, then the same transitions as a table."""
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{state}" as {name}' for state, name in _IDS.items()]
    lines.append(f"    [*] --> {_IDS[State.CLOSED]}")
    for (source, target), triggers in _arrows():
        lines.append(f"    {_IDS[source]} --> {_IDS[target]}: {'<br>'.join(triggers)}")
    lines += ["```", "", "| from | trigger | to |", "|---|---|---|"]
    lines += [
        f"| {source} | {trigger} | {target} |" for (source, trigger), target in TRANSITIONS.items()
    ]
    return "\n".join(lines) + "\n"


def write_into(text: str) -> str:
    """The text with a fresh diagram between its marks.

    Raises
    ------
    InvalidInputError
        The text lacks the marks.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise InvalidInputError("document", text, f"the marks {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{draw()}{END}{tail}"


def _arrows() -> list[tuple[tuple[State, State], list[str]]]:
    moves = sorted(
        ((source, target, trigger) for (source, trigger), target in TRANSITIONS.items()),
        key=lambda move: [list(State).index(state) for state in move[:2]],
    )
    return [
        (arrow, [str(trigger) for *_, trigger in group])
        for arrow, group in groupby(moves, key=lambda move: move[:2])
    ]


def main(arguments: list[str]) -> None:
    """Print the diagram, or write it into the files that are named."""
    if not arguments:
        sys.stdout.write(draw())
    for name in arguments:
        path = Path(name)
        path.write_text(write_into(path.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
