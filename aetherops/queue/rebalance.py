"""Severe items moved up in priority."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["priority_rebalance", "rebalance_with_history"]

_BOOST = 10


def priority_rebalance(
    items: Iterable[Mapping[str, Any]], boost_severity_above: float = 3
) -> list[dict[str, Any]]:
    """Copies of the items, with 10 added to ``"priority"`` where ``"severity"`` is above a limit.

    Parameters
    ----------
    items : mappings; a missing priority or severity counts as 0. They are not changed.
    boost_severity_above : severities strictly above it are boosted.

    Returns
    -------
    One dict an item, in the same order.
    """
    return [_rebalanced(item, boost_severity_above) for item in items]


def rebalance_with_history(
    items: Iterable[Mapping[str, Any]], boost_severity_above: float = 3
) -> list[dict[str, Any]]:
    """As `priority_rebalance`, and each copy has a ``"history"`` list of its own.

    A boost appends ``{"from": old, "to": new}`` to it, after what the item's history held before.
    An item that is not boosted keeps its history as it was, or gets an empty one.
    """
    rebalanced = []
    for item in items:
        moved = _rebalanced(item, boost_severity_above)
        moved["history"] = list(item.get("history", ()))
        if _is_severe(item, boost_severity_above):
            moved["history"].append({"from": item.get("priority", 0), "to": moved["priority"]})
        rebalanced.append(moved)
    return rebalanced


def _rebalanced(item: Mapping[str, Any], boost_severity_above: float) -> dict[str, Any]:
    copy = dict(item)
    if _is_severe(item, boost_severity_above):
        copy["priority"] = item.get("priority", 0) + _BOOST
    return copy


def _is_severe(item: Mapping[str, Any], boost_severity_above: float) -> bool:
    return bool(item.get("severity", 0) > boost_severity_above)
