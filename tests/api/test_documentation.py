"""The documentation asks questions that the schema answers."""

import re
import typing
from pathlib import Path

import pytest
from graphql import parse, validate

from aetherops.api.failures import ErrorCode
from aetherops.api.graphql.schema.root import build_schema
from aetherops.runtime.http import refusals

PAGE = (Path(__file__).parents[2] / "docs" / "graphql.md").read_text("utf-8")
QUESTIONS = re.findall(r"```graphql\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_question_in_the_documentation_is_valid(question):
    assert validate(build_schema(), parse(question)) == []


def test_every_scalar_that_clients_meet_is_documented():
    assert len(QUESTIONS) >= 2
    for word in ("DateTime", "Duration", "BigInt"):
        assert f"`{word}`" in PAGE


def test_the_table_of_errors_has_every_code_and_no_other():
    table = PAGE.partition("| `extensions.code` |")[2].partition("\n\n")[0]
    codes = re.findall(r"^\| `([A-Z_]+)` \|", table, re.MULTILINE)
    assert sorted(codes) == sorted(typing.get_args(ErrorCode))


def test_what_never_reaches_the_application_is_refused_by_codes_of_the_same_table():
    assert set(typing.get_args(refusals.Code)) <= set(typing.get_args(ErrorCode))
