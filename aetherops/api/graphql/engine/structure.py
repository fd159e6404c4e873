"""How large a document is once its fragments are spread out: measured before validation.

Validation compares fields with each other, so a small document can be dear: a thousand times
the same field, or fragments that double with each level. Each fragment is measured once, so
measuring costs about as much as reading the document.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from graphql.language import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
)

from aetherops.errors import InvalidInputError, LimitExceededError

if TYPE_CHECKING:
    from graphql.language import DocumentNode, SelectionNode, SelectionSetNode

__all__ = ["check_structure"]

MAX_DEPTH = 10
MAX_ALIASES = 30
MAX_DIRECTIVES = 50
MAX_FIELDS = 500
MAX_REPEATS = 10
# Nesting of any kind, inline fragments and spreads included: it bounds the recursion here.
_MAX_NESTING = 40
# The schema's own description is deep by nature; graphql-core bounds its lists by a rule.
_INTROSPECTION = frozenset({"__schema", "__type"})


@dataclass(slots=True)
class _Size:
    """Of a selection set, spread out; `keys` counts response names on its first level."""

    depth: int = 0
    aliases: int = 0
    directives: int = 0
    fields: int = 0
    keys: Counter[str] = field(default_factory=Counter)

    def add(self, other: _Size) -> None:
        """Count what stands inside too; its keys are not of this level."""
        self.aliases += other.aliases
        self.directives += other.directives
        self.fields += other.fields

    def check(self) -> None:
        """Raise `LimitExceededError` for the first limit that is passed.

        Depth is left to the whole: what stands below an introspection field has none.
        """
        repeats = max(self.keys.values(), default=0)
        for what, limit, asked in (
            ("aliases in a query", MAX_ALIASES, self.aliases),
            ("directives in a query", MAX_DIRECTIVES, self.directives),
            ("fields in a query", MAX_FIELDS, self.fields),
            ("repetitions of a field in one selection", MAX_REPEATS, repeats),
        ):
            if asked > limit:
                raise LimitExceededError(what, limit, asked)


def check_structure(document: DocumentNode) -> None:
    """Refuse a document that is larger than any sensible question.

    Raises
    ------
    LimitExceededError
        It is too deep, or has too many aliases, directives, fields or repetitions.
    InvalidInputError
        A fragment contains itself.
    """
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    measure = _Measure(fragments)
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            depth = measure.selections(node.selection_set, 0).depth
            if depth > MAX_DEPTH:
                raise LimitExceededError("levels of fields in a query", MAX_DEPTH, depth)
    for name in fragments:
        measure.fragment(name, 0)


class _Measure:
    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._measured: dict[str, _Size | None] = {}

    def selections(self, selection_set: SelectionSetNode, nesting: int) -> _Size:
        if nesting > _MAX_NESTING:
            raise LimitExceededError("levels of selections in a query", _MAX_NESTING, nesting)
        size = _Size()
        for node in selection_set.selections:
            size.directives += len(node.directives)
            self._add(size, node, nesting + 1)
        size.check()
        return size

    def fragment(self, name: str, nesting: int) -> _Size:
        if name not in self._fragments:
            return _Size()  # validation reports it
        if name not in self._measured:
            self._measured[name] = None
            self._measured[name] = self.selections(self._fragments[name].selection_set, nesting)
        measured = self._measured[name]
        if measured is None:
            raise InvalidInputError(
                "query", f"...{name}", "fragments that do not contain themselves"
            )
        return measured

    def _add(self, size: _Size, node: SelectionNode, nesting: int) -> None:
        if isinstance(node, FieldNode):
            self._add_field(size, node, nesting)
            return
        if isinstance(node, FragmentSpreadNode):
            inner = self.fragment(node.name.value, nesting)
        else:
            inner = self.selections(node.selection_set, nesting)  # type: ignore[attr-defined]
        size.add(inner)
        size.keys.update(inner.keys)
        size.depth = max(size.depth, inner.depth)

    def _add_field(self, size: _Size, node: FieldNode, nesting: int) -> None:
        inner = self.selections(node.selection_set, nesting) if node.selection_set else _Size()
        size.add(inner)
        size.fields += 1
        size.aliases += node.alias is not None
        size.keys[(node.alias or node.name).value] += 1
        depth = 1 if node.name.value in _INTROSPECTION else inner.depth + 1
        size.depth = max(size.depth, depth)
