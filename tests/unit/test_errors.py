"""What an error says can always be said."""

from __future__ import annotations

import json

from aetherops.errors import InvalidInputError, shown


class Unspeakable:
    """Cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no words")


def test_a_value_nested_deeper_than_can_be_shown_is_told_by_its_type() -> None:
    nested = json.loads("[" * 900 + "]" * 900)
    for _ in range(5_000):
        nested = [nested]
    assert shown(nested) == "<list>"
    assert str(InvalidInputError("times", nested, "a list")) == "times: expected a list, got <list>"


def test_a_value_whose_own_words_fail_is_told_by_its_type() -> None:
    assert shown(Unspeakable()) == "<Unspeakable>"
