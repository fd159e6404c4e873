"""Answers as GraphQL has them: data, and errors with a code for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from graphql import ExecutionResult, GraphQLError

from aetherops.api.failures import Failure, describe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["FieldFailure", "GraphQLAnswer"]


@dataclass(frozen=True, slots=True)
class FieldFailure:
    """One error of an answer: what a client is told of it, and where in the document it stands.

    Parameters
    ----------
    error : as graphql-core reported it; it knows the place.
    cause : the exception under all its layers, if there is another.
    """

    failure: Failure
    error: GraphQLError
    cause: Exception | None

    @classmethod
    def of(cls, error: GraphQLError) -> Self:
        """What to tell of an error; an exception nobody foresaw is told by its id alone."""
        cause = _cause(error)
        if cause is None:
            # Words about the document or its variables, by graphql-core or by our scalars.
            return cls(Failure("BAD_INPUT", error.message, error.extensions or {}), error, None)
        return cls(describe(cause), error, cause)

    @property
    def before_execution(self) -> bool:
        """Whether the request itself was refused: no field was executed."""
        return self.error.path is None

    def to_json(self) -> dict[str, object]:
        """The error in the form that the specification gives."""
        shown: dict[str, object] = {"message": self.failure.message}
        if self.error.locations:
            shown["locations"] = [place.formatted for place in self.error.locations]
        if self.error.path is not None:
            shown["path"] = self.error.path
        shown["extensions"] = self.failure.to_json()
        return shown


@dataclass(frozen=True, slots=True)
class GraphQLAnswer:
    """What goes back to the client, whatever carries it.

    Parameters
    ----------
    data : may hold NumPy arrays; ``None`` also where nothing could be answered.
    failures : what went wrong, in the document or in a field.
    """

    data: Mapping[str, Any] | None
    failures: Sequence[FieldFailure] = ()

    @classmethod
    def of(cls, result: ExecutionResult) -> Self:
        """The answer that a result of graphql-core means."""
        return cls(result.data, [FieldFailure.of(error) for error in result.errors or ()])

    @classmethod
    def refusal(cls, errors: Sequence[GraphQLError]) -> Self:
        """The answer to a request that is not executed."""
        return cls(None, [FieldFailure.of(error) for error in errors])

    @property
    def is_refusal(self) -> bool:
        """Whether the request itself was refused: no field was executed."""
        return any(failure.before_execution for failure in self.failures)

    @property
    def codes(self) -> list[str]:
        """Codes of the errors."""
        return [one.failure.code for one in self.failures]

    def to_json(self) -> dict[str, object]:
        """``errors`` where there are any, ``data`` only where execution began."""
        content: dict[str, object] = {}
        if self.failures:
            content["errors"] = [failure.to_json() for failure in self.failures]
        if not self.is_refusal:
            content["data"] = self.data
        return content


def _cause(error: GraphQLError) -> Exception | None:
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause
