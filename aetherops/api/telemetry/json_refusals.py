"""What is wrong with JSON that is no batch, and where: ``series[1].times[3]``."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, NoReturn

from aetherops.api.http.bodies import parse_json
from aetherops.archive.decoding import split_message
from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["EXPECTED", "TIME_EXPECTED", "refusal", "require_keys_once"]

TIME_EXPECTED = "ISO 8601 text with an offset, or integer microseconds since 1970"
EXPECTED = {
    "batch": "a UUID",
    "series": "a list of objects with stream, times and values",
    "times": "a list of times",
    "values": "a list of numbers",
}
_ITEM_EXPECTED = {
    "series": "an object with stream, times and values",
    "times": TIME_EXPECTED,
    "values": "a finite number",
}
_KEY = re.compile(
    r"Object (?P<what>contains unknown|missing required) field `(?P<key>.*)`", re.DOTALL
)
_PLAIN_KEY = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def refusal(body: bytes, message: str, known: Iterable[str]) -> InvalidInputError:
    """What a body that the decoder refuses has wrong; malformed JSON is told by line and column.

    Parameters
    ----------
    message : the decoder's.
    known : the keys that an object may have.
    """
    _require_finite_numbers(body)
    document = parse_json(body)
    wrong, place = split_message(message)
    found = _KEY.match(wrong)
    if found is None:
        return InvalidInputError(place or "body", _at(document, place), _expected(place))
    parent, key = _at(document, place), found["key"]
    value = parent.get(key) if isinstance(parent, dict) else None
    if found["what"] == "contains unknown":
        expected = f"one of the keys {', '.join(sorted(known))}"
    else:
        expected = _expected(key)
    return InvalidInputError(_below(place, key), value, expected)


def require_keys_once(body: bytes) -> None:
    """Refuse JSON in which a key stands twice in an object."""
    json.loads(body, object_pairs_hook=_object)


def _require_finite_numbers(body: bytes) -> None:
    """Refuse ``NaN``, ``Infinity`` and ``1e999`` by their place."""
    try:
        document = json.loads(body, object_pairs_hook=_object)
    except InvalidInputError:
        raise
    except (ValueError, RecursionError):
        return  # told by line and column
    for place, number in _numbers(document, ""):
        if not math.isfinite(number):
            raise InvalidInputError(place, number, "a finite number")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        _refuse_twice(pairs)
    return content


def _refuse_twice(pairs: list[tuple[str, Any]]) -> NoReturn:
    seen = set()
    for key, value in pairs:
        if key in seen:
            raise InvalidInputError(_below("", key), value, "each key once in an object")
        seen.add(key)
    raise AssertionError("no key stands twice")


def _below(place: str, key: str) -> str:
    """The place of a key in an object; one that could be taken for several is quoted."""
    if not _PLAIN_KEY.fullmatch(key):
        return f"{place}[{json.dumps(key)}]"
    return f"{place}.{key}" if place else key


def _numbers(value: object, place: str) -> Iterator[tuple[str, float]]:
    if isinstance(value, float):
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _numbers(item, _below(place, key))
    elif isinstance(value, list):
        for i, item in enumerate(value):
            yield from _numbers(item, f"{place}[{i}]")


def _expected(place: str) -> str:
    last = place.rpartition(".")[2]
    if last.endswith("]"):
        return _ITEM_EXPECTED.get(last.partition("[")[0], "text")
    return EXPECTED.get(last, "text") if last else "an object with stream, times and values"


def _at(document: object, place: str) -> Any:
    """What stands at a place; None where nothing does."""
    for key, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", place):
        if key:
            document = document.get(key) if isinstance(document, dict) else None
        else:
            document = document[int(index)] if isinstance(document, list) else None
    return document
