"""Documents: bounded in every direction, and remembered."""

import time

import pytest
from graphql import get_introspection_query, parse

from aetherops.api.graphql.engine.documents import DocumentCache, RefusedDocument
from aetherops.api.graphql.engine.structure import check_structure
from aetherops.api.graphql.schema.root import build_schema
from aetherops.errors import InvalidInputError, LimitExceededError


@pytest.fixture
def cache():
    return DocumentCache(build_schema())


def chain(length: int, last: str = "x") -> str:
    """Fragments that each spread the next one twice: 2^length fields from a short text."""
    parts = [f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(length)]
    return "{ ...F0 } " + " ".join(parts) + f" fragment F{length} on Query {{ {last} }}"


def wide(fields: int, parts: int) -> str:
    inner = " ".join(f"x{i}" for i in range(parts))
    return "{ " + " ".join(f"f{i} {{ {inner} }}" for i in range(fields)) + " }"


def shared(fields: int, aliases: int) -> str:
    inner = " ".join(f"a{i}: x" for i in range(aliases))
    spread = " ".join(f"f{i} {{ ...F }}" for i in range(fields))
    return f"{{ {spread} }} fragment F on Query {{ {inner} }}"


def nested(levels: int) -> str:
    return "{ a " * levels + "}" * levels


@pytest.mark.parametrize("number", ["9" * 401, "9" * 4301, "-" + "9" * 5000, "1." + "0" * 400])
@pytest.mark.parametrize("begin", ["{ streams(first: ", "{ stream(name: "])
def test_a_number_that_nothing_can_read_is_refused_where_it_stands(cache, begin, number):
    place = rf"query, line 2 column {len(begin) + 1}: .*at most 400 characters.*{len(number) + 2:,}"
    with pytest.raises(InvalidInputError, match=place):
        cache.prepare(f"\n{begin}{number}) {{ __typename }} }}")


def test_a_long_text_is_no_number(cache):
    cache.prepare('{ stream(name: "' + "9" * 5000 + '") { name } }')


@pytest.mark.parametrize(
    ("document", "what"),
    [
        (nested(11), "levels of fields"),
        ("{ " + " ".join(f"a{i}: x" for i in range(31)) + " }", "aliases"),
        ("{ " + "x " * 11 + "}", "repetitions of a field"),
        ("{ x " + "@skip(if: true) " * 51 + "}", "directives"),
        (shared(4, 8), "aliases"),
        (chain(20), "repetitions of a field"),
        (wide(10, 50), "fields in a query"),
        ("{ " + "... { " * 50 + "x" + " }" * 51, "levels of selections"),
    ],
)
def test_what_is_larger_than_any_sensible_question_is_refused(document, what):
    with pytest.raises(LimitExceededError, match=what):
        check_structure(parse(document))


@pytest.mark.parametrize(
    "document",
    [
        nested(10),
        "{ " + " ".join(f"a{i}: x" for i in range(30)) + " }",
        "{ " + "x " * 10 + "}",
        get_introspection_query(),
        "{ ...F } fragment F on Query { x } fragment G on Query { ...F }",
    ],
)
def test_what_stays_within_the_limits_is_allowed(document):
    check_structure(parse(document))


@pytest.mark.parametrize(
    "document",
    [
        "{ ...F } fragment F on Query { ...F }",
        "{ ...F } fragment F on Query { a { ...G } } fragment G on A { b { ...F } }",
        "{ x } fragment F on Query { ... { ...F } }",
    ],
)
def test_a_fragment_that_contains_itself_is_refused(document):
    with pytest.raises(InvalidInputError, match="fragments that do not contain themselves"):
        check_structure(parse(document))


def test_measuring_takes_time_in_proportion_to_the_text():
    document = parse(chain(30, "a { b }"))
    started = time.perf_counter()
    with pytest.raises(LimitExceededError):
        check_structure(document)
    assert time.perf_counter() - started < 1  # spread out it has a thousand million fields


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("{ x }" + " " * 20_000, "characters in a query"),
    ],
)
def test_a_long_text_is_refused_before_it_is_read(cache, text, what):
    with pytest.raises(LimitExceededError, match=what):
        cache.prepare(text)


@pytest.mark.parametrize(
    "text",
    [
        "{ " + "x " * 1001 + "}",
        "#\n" * 101 + "{ x }",
        "{",
        "query",
        "{ streams }",
        "{ nothing }",
    ],
)
def test_a_document_that_cannot_be_executed_is_refused(cache, text):
    with pytest.raises(RefusedDocument):
        cache.prepare(text)
    assert len(cache) == 0


def test_a_valid_document_is_parsed_once(cache):
    text = "{ streams { nodes { name } } }"
    assert cache.prepare(text) is cache.prepare(text)


def test_the_memory_is_bounded_in_number():
    cache = DocumentCache(build_schema(), max_documents=3)
    first = cache.prepare("query A { streams { nodes { name } } }")
    for name in "BCD":
        cache.prepare(f"query {name} {{ streams {{ nodes {{ name }} }} }}")
    assert len(cache) == 3
    assert cache.prepare("query A { streams { nodes { name } } }") is not first


def test_the_memory_is_bounded_in_size():
    cache = DocumentCache(build_schema(), max_characters=100)
    for name in "ABCD":
        cache.prepare(f"query {name} {{ streams {{ nodes {{ name }} }} }}")
    assert len(cache) == 2


def test_the_least_recently_asked_is_forgotten_first():
    cache = DocumentCache(build_schema(), max_documents=2)
    texts = [f"query {name} {{ streams {{ nodes {{ name }} }} }}" for name in "ABC"]
    first, _ = cache.prepare(texts[0]), cache.prepare(texts[1])
    cache.prepare(texts[0])
    cache.prepare(texts[2])
    assert cache.prepare(texts[0]) is first
