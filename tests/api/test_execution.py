"""Columns handed over whole: the same answers as item by item, and much sooner."""

import time

import graphene
import numpy as np
import orjson
import pytest
from graphql import ExecutionContext, execute, parse

from aetherops.api.graphql.engine.execution import ColumnExecutionContext
from aetherops.api.graphql.schema.scalars import BigInt, DateTime
from aetherops.api.http.json_responses import encode_json


class Table(graphene.ObjectType):
    nullable = graphene.List(graphene.Float)
    floats = graphene.List(graphene.NonNull(graphene.Float))
    numbers = graphene.List(graphene.NonNull(BigInt))
    times = graphene.List(graphene.NonNull(DateTime))
    texts = graphene.List(graphene.String)
    integers = graphene.List(graphene.Int)


SCHEMA = graphene.Schema(query=Table).graphql_schema


def run(query, context_class=ColumnExecutionContext, **columns):
    result = execute(
        SCHEMA, parse(query), root_value=columns, execution_context_class=context_class
    )
    return orjson.loads(encode_json({"data": result.data})), result.errors


VALUES = np.array([1.5, -0.0, 5e-324, 1.7976931348623157e308, 0.1])
TIMES_US = np.array([0, 1, 1_500_000, 1_767_225_600_000_000, -62_135_596_800_000_000])


def test_columns_are_what_item_by_item_gives():
    query = "{ nullable floats numbers times }"
    columns, errors = run(
        query,
        nullable=VALUES,
        floats=VALUES,
        numbers=TIMES_US,
        times=TIMES_US.view("datetime64[us]"),
    )
    lists, _ = run(
        query,
        ExecutionContext,
        nullable=VALUES.tolist(),
        floats=VALUES.tolist(),
        numbers=TIMES_US.tolist(),
        times=TIMES_US.tolist(),
    )
    assert errors is None
    for name in ("nullable", "floats", "numbers"):
        assert columns["data"][name] == lists["data"][name]
    read = [DateTime.parse_value(text) for text in columns["data"]["times"]]
    assert read == [DateTime.parse_value(text) for text in lists["data"]["times"]]


def test_a_value_that_is_no_number_is_null_where_null_may_be():
    answer, errors = run("{ nullable }", nullable=np.array([1, np.nan, np.inf, -np.inf]))
    assert errors is None
    assert answer["data"]["nullable"] == [1, None, None, None]


def test_a_value_that_is_no_number_is_an_error_where_null_may_not_be():
    answer, errors = run("{ floats }", floats=np.array([1, np.nan]))
    assert answer["data"]["floats"] is None
    assert errors[0].path == ["floats", 1]


def test_a_column_of_another_type_goes_item_by_item():
    answer, errors = run(
        "{ texts integers floats }",
        texts=np.array([1.5]),
        integers=np.array([2**31]),
        floats=np.array([1, 2], dtype=np.int32),
    )
    assert answer["data"]["texts"] == ["1.5"]
    assert answer["data"]["floats"] == [1, 2]
    assert answer["data"]["integers"] == [None]
    assert errors[0].path == ["integers", 0]


def test_a_column_that_skips_through_memory_is_written_rightly():
    answer, _ = run("{ floats }", floats=np.arange(10.0)[::3])
    assert answer["data"]["floats"] == [0, 3, 6, 9]


def test_lists_of_other_things_are_untouched():
    answer, errors = run("{ texts nullable }", texts=["a", None], nullable=(1, 2.5))
    assert errors is None
    assert answer["data"] == {"texts": ["a", None], "nullable": [1, 2.5]}


@pytest.mark.alone
@pytest.mark.parametrize("n", [10_000])
def test_a_column_costs_a_small_part_of_item_by_item(n):
    values = np.linspace(0, 1, n)

    def best_of(action):
        times = []
        for _ in range(5):
            started = time.perf_counter()
            action()
            times.append(time.perf_counter() - started)
        return min(times)

    whole = best_of(lambda: run("{ floats }", floats=values))
    single = best_of(lambda: run("{ floats }", ExecutionContext, floats=values.tolist()))
    assert whole < single / 4
