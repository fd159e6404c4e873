"""Documents: parsed, measured and validated once, then remembered."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

from graphql import GraphQLError, TokenKind, parse, validate

from aetherops.api.graphql.engine.structure import check_structure
from aetherops.errors import InvalidInputError, LimitExceededError

if TYPE_CHECKING:
    from graphql import DocumentNode, GraphQLSchema

__all__ = ["DocumentCache", "RefusedDocument"]

MAX_CHARACTERS = 20_000
MAX_TOKENS = 1000
MAX_COMMENTS = 100
MAX_ERRORS = 20
#: More than any double needs; Python itself refuses to read integers of more than 4,300.
MAX_NUMBER_CHARACTERS = 400


class RefusedDocument(Exception):  # noqa: N818 (not an error of the program: of the document)
    """A document that cannot be executed, and why."""

    def __init__(self, errors: list[GraphQLError]) -> None:
        self.errors = errors
        super().__init__(*errors)


class DocumentCache:
    """Valid documents by their text, the least recently asked dropped first.

    Parsing and validating costs milliseconds, and clients ask the same few questions. What
    is checked here does not depend on variables, so a remembered document is always right.

    Parameters
    ----------
    schema : that documents are validated against.
    max_documents, max_characters : how much is remembered; a parsed document takes some
        hundred times the memory of its text.
    """

    def __init__(
        self, schema: GraphQLSchema, max_documents: int = 500, max_characters: int = 250_000
    ) -> None:
        self._schema = schema
        self._max_documents = max_documents
        self._max_characters = max_characters
        self._documents: OrderedDict[str, DocumentNode] = OrderedDict()
        self._characters = 0

    def __len__(self) -> int:
        return len(self._documents)

    def prepare(self, text: str) -> DocumentNode:
        """The document, ready to execute.

        Raises
        ------
        RefusedDocument
            It is malformed or does not fit the schema.
        LimitExceededError, InvalidInputError
            It or a number in it is larger than allowed, or its fragments form a circle.
        """
        document = self._documents.get(text)
        if document is None:
            document = _check(self._schema, text)
            self._remember(text, document)
        self._documents.move_to_end(text)
        return document

    def _remember(self, text: str, document: DocumentNode) -> None:
        self._documents[text] = document
        self._characters += len(text)
        while len(self) > self._max_documents or self._characters > self._max_characters:
            dropped, _ = self._documents.popitem(last=False)
            self._characters -= len(dropped)


def _check(schema: GraphQLSchema, text: str) -> DocumentNode:
    if len(text) > MAX_CHARACTERS:
        raise LimitExceededError("characters in a query", MAX_CHARACTERS, len(text))
    try:
        document = parse(text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS)
    except GraphQLError as error:
        raise RefusedDocument([error]) from error
    _check_numbers(document)
    check_structure(document)
    errors = validate(schema, document, max_errors=MAX_ERRORS)
    if errors:
        raise RefusedDocument(errors)
    return document


def _check_numbers(document: DocumentNode) -> None:
    """Refuse a number that no field could use, before anything converts it."""
    token = document.loc.start_token if document.loc else None
    while token is not None:
        text = token.value or ""
        if len(text) > MAX_NUMBER_CHARACTERS and token.kind in (TokenKind.INT, TokenKind.FLOAT):
            expected = f"a number of at most {MAX_NUMBER_CHARACTERS} characters"
            place = f"query, line {token.line} column {token.column}"
            raise InvalidInputError(place, text, expected)
        token = token.next
