"""What every command that changes a workflow does with its options."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aetherops.cli.outcome import reported_errors
from aetherops.cli.workflow.arguments import connection_of

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Choice", "JsonText", "Reason", "change"]

Reason = Annotated[str, typer.Option(help="Why, in words.")]


@dataclass(frozen=True, slots=True)
class JsonText:
    """Text of an option that holds JSON, and the option's name for its errors."""

    text: str | None
    field: str

    def read(self) -> Any:
        """The value, null where nothing was given; raises `InvalidInputError` for other text."""
        from aetherops.errors import InvalidInputError
        from aetherops.workflow.json_values import freeze_json

        if self.text is None:
            return None
        try:
            value = json.loads(self.text)
        except (ValueError, RecursionError):
            expected = """JSON, such as 1.5, '"text"' or '{"dv": 3}'"""
            raise InvalidInputError(self.field, self.text, expected) from None
        return freeze_json(value, self.field)  # what Python reads, and JSON has not: NaN, say


@dataclass(frozen=True, slots=True)
class Choice:
    """A state or a stage as it was typed, and the argument's name for its errors."""

    text: str
    field: str

    def read(self) -> str:
        """How GraphQL names it; raises `InvalidInputError` where there is none."""
        from aetherops.cli.workflow.asking import enum_name
        from aetherops.workflow.checks import stage, state

        check = state if self.field == "STATE" else stage
        return enum_name(check(self.text, self.field))


def change(
    mutation: str,
    workflow_id: str | None,
    arguments: dict[str, Any],
    as_json: bool,
    data_dir: Path | None,
    url: str | None,
    token: str | None,
) -> None:
    """Have it done, and say in a line where the workflow stands then."""
    with reported_errors():
        from aetherops.cli.workflow.asking import change as ask_change
        from aetherops.cli.workflow.texts import changed_text, shown

        given = {
            key: one.read() if isinstance(one, JsonText | Choice) else one
            for key, one in arguments.items()
        }
        state = ask_change(mutation, workflow_id, given, connection_of(data_dir, url, token))
        typer.echo(shown(state, changed_text, as_json=as_json))
