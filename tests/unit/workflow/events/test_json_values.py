"""JSON values that events hold: checked, copied, and frozen."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import given

from aetherops.errors import InvalidInputError
from aetherops.workflow.json_values import FrozenDict, FrozenList, freeze_json

from .samples import json_values


@given(json_values)
def test_a_frozen_value_equals_the_one_it_was_made_of_also_through_json(value):
    frozen = freeze_json(value, "input")
    assert frozen == value
    assert json.loads(json.dumps(frozen)) == value
    assert freeze_json(frozen, "input") == frozen


@given(json_values)
def test_a_frozen_value_can_be_a_key_and_travels(value):
    frozen = freeze_json(value, "input")
    assert hash(frozen) == hash(freeze_json(copy.deepcopy(value), "input"))
    for again in (copy.deepcopy(frozen), copy.copy(frozen), pickle.loads(pickle.dumps(frozen))):
        assert again == frozen
        assert type(again) is type(frozen)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.__setitem__("a", 2),
        lambda one: one.__delitem__("a"),
        lambda one: one.__ior__({"b": 1}),
        lambda one: one.clear(),
        lambda one: one.pop("a"),
        lambda one: one.popitem(),
        lambda one: one.setdefault("b", 1),
        lambda one: one.update(b=1),
    ],
)
def test_no_method_changes_a_frozen_object(change):
    frozen = freeze_json({"a": 1}, "input")
    with pytest.raises(TypeError, match="cannot change"):
        change(frozen)
    assert frozen == {"a": 1}


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.__setitem__(0, 2),
        lambda one: one.__delitem__(0),
        lambda one: one.__iadd__([1]),
        lambda one: one.__imul__(2),
        lambda one: one.append(1),
        lambda one: one.clear(),
        lambda one: one.extend([1]),
        lambda one: one.insert(0, 1),
        lambda one: one.pop(),
        lambda one: one.remove(1),
        lambda one: one.reverse(),
        lambda one: one.sort(),
    ],
)
def test_no_method_changes_a_frozen_list(change):
    frozen = freeze_json([1, 2], "input")
    with pytest.raises(TypeError, match="cannot change"):
        change(frozen)
    assert frozen == [1, 2]


def test_every_method_that_changes_a_plain_container_is_refused():
    """A method that a later Python adds does not slip through unseen."""
    for plain, frozen in ((dict, FrozenDict), (list, FrozenList)):
        reading = {
            *{"copy", "fromkeys", "get", "items", "keys", "values", "count", "index"},
            *{name for name in vars(plain) if name.startswith("__")},
        }
        changing = {"__setitem__", "__delitem__", "__ior__", "__iadd__", "__imul__"}
        names = (set(vars(plain)) - reading) | (changing & set(vars(plain)))
        assert names <= set(vars(frozen)), names - set(vars(frozen))


@pytest.mark.parametrize(
    ("value", "field", "expected"),
    [
        ({"a": [1, {"b": float("nan")}]}, "input.a[1].b", "a finite number"),
        ([0, float("-inf")], "input[1]", "a finite number"),
        ({"a": 2**63}, "input.a", "an integer of 64 bits"),
        ({"a": "\udfff"}, "input.a", "text without lone surrogates"),
        ({"\udfff": 1}, "input key", "text without lone surrogates"),
        ({1: 2}, "input key", "text"),
        ({"a": {1, 2}}, "input.a", "null, a boolean, a finite number, text, a list or an object"),
        ({"a": b"x"}, "input.a", "null, a boolean"),
        ({"a": 1j}, "input.a", "null, a boolean"),
    ],
)
def test_a_value_that_json_cannot_hold_is_named_by_its_place(value, field, expected):
    with pytest.raises(InvalidInputError) as refused:
        freeze_json(value, "input")
    assert refused.value.field == field
    assert expected in refused.value.expected


def test_a_value_that_holds_itself_ends_at_the_greatest_depth():
    value: list[object] = []
    value.append(value)
    with pytest.raises(InvalidInputError, match="at most 32 levels"):
        freeze_json(value, "input")


def test_subclasses_become_what_json_reads_back():
    class Text(str):
        __slots__ = ()

    class Whole(int):
        pass

    frozen = freeze_json({"a": Text("x"), "b": Whole(1), "c": (1, 2)}, "input")
    assert [type(one) for one in frozen.values()] == [str, int, FrozenList]
