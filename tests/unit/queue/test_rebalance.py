"""Severe items move up; nobody's list changes under them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aetherops.queue import priority_rebalance, rebalance_with_history

ITEMS = [{"id": 1, "priority": 5, "severity": 4}, {"id": 2, "priority": 5, "severity": 3}]

items = st.lists(
    st.fixed_dictionaries(
        {"priority": st.integers(-100, 100), "severity": st.integers(0, 6)},
        optional={"history": st.lists(st.just({"from": 0, "to": 10}), max_size=2)},
    )
)


def test_severities_strictly_above_the_limit_gain_ten() -> None:
    assert [item["priority"] for item in priority_rebalance(ITEMS)] == [15, 5]
    assert [item["priority"] for item in priority_rebalance(ITEMS, 2)] == [15, 15]
    assert [item["priority"] for item in priority_rebalance(iter(ITEMS), 4)] == [5, 5]


def test_only_a_boost_is_written_into_the_history() -> None:
    boosted, other = rebalance_with_history(ITEMS)
    assert boosted == {**ITEMS[0], "priority": 15, "history": [{"from": 5, "to": 15}]}
    assert other == {**ITEMS[1], "history": []}


def test_an_items_history_goes_on_in_a_list_of_its_own() -> None:
    (once,) = rebalance_with_history(ITEMS[:1])
    (twice,) = rebalance_with_history([once], boost_severity_above=0)
    assert twice["history"] == [{"from": 5, "to": 15}, {"from": 15, "to": 25}]
    assert once["history"] == [{"from": 5, "to": 15}]


@pytest.mark.parametrize("rebalance", [priority_rebalance, rebalance_with_history])
def test_missing_numbers_count_as_zero(rebalance: Any) -> None:
    assert rebalance([{"severity": 9}])[0]["priority"] == 10
    assert "priority" not in rebalance([{"id": 1}], 0)[0]
    assert rebalance_with_history([{"severity": 9}])[0]["history"] == [{"from": 0, "to": 10}]


@given(items, st.integers(0, 6))
def test_the_input_is_never_changed_nor_shared(entries: list[dict[str, Any]], limit: int) -> None:
    before = copy.deepcopy(entries)
    plain, told = priority_rebalance(entries, limit), rebalance_with_history(entries, limit)
    for item in told:
        item["history"].append("x")
    for item in plain:
        item["priority"] = None
    assert entries == before
    assert len(plain) == len(told) == len(entries)
