"""Errors of an answer: GraphQL's message and place, with a code for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from graphql import GraphQLError

from aetherops.api.failures import describe

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GraphQLFailure", "describe_graphql"]


@dataclass(frozen=True, slots=True)
class GraphQLFailure:
    """One error of an answer, as the client sees it.

    Parameters
    ----------
    code, message : what happened, for programs and for people.
    extensions : the code, and more for programs.
    headers : of the response, where this is its only error.
    error : the error that graphql-core reported; it knows the place.
    """

    code: str
    message: str
    extensions: Mapping[str, object]
    headers: Mapping[str, str]
    error: GraphQLError

    @property
    def before_execution(self) -> bool:
        """Whether the request itself was refused: no field was executed."""
        return self.error.path is None

    def to_json(self) -> dict[str, object]:
        """The error in the form that the specification gives."""
        shown: dict[str, object] = {"message": self.message}
        if self.error.locations:
            shown["locations"] = [place.formatted for place in self.error.locations]
        if self.error.path is not None:
            shown["path"] = self.error.path
        shown["extensions"] = self.extensions
        return shown


def describe_graphql(error: GraphQLError) -> GraphQLFailure:
    """What to tell of an error; an exception nobody foresaw is told by its id alone."""
    cause = _cause(error)
    if cause is None:
        # Words about the document or its variables, by graphql-core or by our scalars.
        extensions = {"code": "BAD_INPUT", **(error.extensions or {})}
        return GraphQLFailure("BAD_INPUT", error.message, extensions, {}, error)
    failure = describe(cause)
    extensions = {"code": failure.code, **failure.details}
    return GraphQLFailure(failure.code, failure.message, extensions, failure.headers, error)


def _cause(error: GraphQLError) -> Exception | None:
    """The exception under all layers of GraphQL errors, if there is another."""
    cause: Exception | None = error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause
