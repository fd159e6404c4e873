"""Execution that hands columns over whole, and says when an answer is complete.

graphql-core completes a list item by item, about 3 µs each. A column of built-in values
needs none of that: its array goes into the response as it is, and the JSON encoder writes it.

What a field of the root was answered from may hold much: it is released as soon as that field is
complete, while others are still being answered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from graphql import ExecutionContext
from graphql.type import GraphQLNonNull, GraphQLScalarType

from aetherops.services.telemetry import TelemetryAnswer

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from graphql import (
        FieldNode,
        GraphQLList,
        GraphQLObjectType,
        GraphQLOutputType,
        GraphQLResolveInfo,
    )
    from graphql.pyutils import AwaitableOrValue, Path
    from numpy.typing import NDArray

__all__ = ["ColumnExecutionContext"]

# The array type that holds exactly what a scalar serialises to.
_ARRAY_TYPES = {
    "Float": np.dtype(np.float64),
    "BigInt": np.dtype(np.int64),
    "DateTime": np.dtype("datetime64[us]"),
}


class ColumnExecutionContext(ExecutionContext):
    """Completes arrays of scalars at once, and everything else as usual.

    In a list of nullable floats, NaN and infinities become null, without an error: a column
    has no other way to say that there is no value. Where floats may not be null, such an
    array goes the usual way and is an error there.
    """

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> AwaitableOrValue[list[Any]]:
        """Complete a list value; an array that fits its type is complete already."""
        if isinstance(result, np.ndarray):
            if _fits(return_type.of_type, result):
                return np.ascontiguousarray(result)  # type: ignore[return-value]
            result = _plain(result)
        return super().complete_list_value(return_type, field_nodes, info, path, result)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_nodes: list[FieldNode],
        info: GraphQLResolveInfo,
        path: Path,
        result: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Complete an object; at the root, its source is released behind its last field."""
        if path.prev is not None or not isinstance(result, TelemetryAnswer):
            return super().complete_object_value(return_type, field_nodes, info, path, result)
        try:
            completed = super().complete_object_value(return_type, field_nodes, info, path, result)
        except BaseException:
            result.release()
            raise
        if not isinstance(completed, dict):
            return _released_behind(completed, result)
        result.release()
        return completed


async def _released_behind(completed: Awaitable[dict[str, Any]], source: TelemetryAnswer) -> Any:
    try:
        return await completed
    finally:
        source.release()


def _fits(item_type: GraphQLOutputType, column: NDArray[Any]) -> bool:
    scalar = item_type.of_type if isinstance(item_type, GraphQLNonNull) else item_type
    if not isinstance(scalar, GraphQLScalarType) or column.ndim != 1:
        return False
    # Compared only where there is one: NumPy takes None for float64.
    wanted = _ARRAY_TYPES.get(scalar.name)
    if wanted is None or column.dtype != wanted:
        return False
    return scalar is item_type or column.dtype.kind != "f" or bool(np.isfinite(column).all())


def _plain(column: NDArray[Any]) -> list[Any]:
    """Values as the scalars' own serialisers take them."""
    numbers = column.view(np.int64) if column.dtype.kind == "M" else column
    return list(numbers.tolist())
