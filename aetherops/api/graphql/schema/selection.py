"""What a question asks for, looked at before it is answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

from graphql.language import FieldNode, FragmentSpreadNode

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from graphql import GraphQLResolveInfo
    from graphql.language import FragmentDefinitionNode, InlineFragmentNode

    _Node = FieldNode | InlineFragmentNode | FragmentDefinitionNode

__all__ = ["asks_for_extremes_only"]

_WITHOUT_SAMPLES = frozenset({"__typename", "stream", "resolution", "scanned"})
_EXTREMES = frozenset({"__typename", "count", "min", "max", "first", "last"})


def asks_for_extremes_only(info: GraphQLResolveInfo) -> bool:
    """Whether summaries can answer all that is asked below a field `telemetry`.

    A field that a directive may leave out is counted as asked for.
    """
    for field in _fields(info.field_nodes, info):
        name = field.name.value
        if name == "statistics":
            if not all(inner.name.value in _EXTREMES for inner in _fields([field], info)):
                return False
        elif name not in _WITHOUT_SAMPLES:
            return False
    return True


def _fields(nodes: Iterable[_Node], info: GraphQLResolveInfo) -> Iterator[FieldNode]:
    """Fields below nodes, those of fragments included."""
    for node in nodes:
        for inner in node.selection_set.selections if node.selection_set else ():
            match inner:
                case FieldNode():
                    yield inner
                case FragmentSpreadNode():
                    yield from _fields([info.fragments[inner.name.value]], info)
                case _:  # an inline fragment
                    yield from _fields([inner], info)  # type: ignore[list-item]
