"""The documentation asks questions that the schema answers."""

import re
from pathlib import Path

import pytest
from graphql import parse, validate

from aetherops.api.graphql.schema.root import build_schema

PAGE = (Path(__file__).parents[2] / "docs" / "graphql.md").read_text("utf-8")
QUESTIONS = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_in_the_documentation_is_valid(question):
    assert validate(build_schema(), parse(question)) == []


def test_every_type_and_every_error_code_that_clients_meet_is_documented():
    assert len(QUESTIONS) >= 2
    for word in ("DateTime", "Duration", "BigInt", "BAD_INPUT", "UNAVAILABLE", "INTERNAL"):
        assert f"`{word}`" in PAGE
