"""Settings as they are set; what cannot be is told by its variable's name and in our words."""

from __future__ import annotations

import difflib
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError

from aetherops.connections.endpoints import without_secrets
from aetherops.errors import InvalidInputError
from aetherops.runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pydantic_core import ErrorDetails

__all__ = ["mistyped_variables", "read_settings", "told_by_variable"]

_WHOLE_NUMBER, _NUMBER, _SWITCH, _TEXT = "a whole number", "a number", "true or false", "a text"
_GROUP = "a JSON object of settings"
_ALIKE = 0.8

#: What is expected where pydantic finds an error of this type; braces name what it says of it.
_EXPECTED: Mapping[str, str] = {
    "int_parsing": _WHOLE_NUMBER,
    "int_parsing_size": _WHOLE_NUMBER,
    "int_from_float": _WHOLE_NUMBER,
    "int_type": _WHOLE_NUMBER,
    "finite_number": "a finite number",
    "float_parsing": _NUMBER,
    "float_type": _NUMBER,
    "bool_parsing": _SWITCH,
    "bool_type": _SWITCH,
    "string_type": _TEXT,
    "string_unicode": "a text in UTF-8",
    "string_too_short": "a text, not empty",
    "path_type": "a path",
    "greater_than": "more than {gt}",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "literal_error": "{expected}",
    "enum": "{expected}",
    "model_type": _GROUP,
    "model_attributes_type": _GROUP,
}


def read_settings(**given: Any) -> Settings:
    """Settings from the environment, in which what is given goes before it.

    Raises
    ------
    InvalidInputError
        A variable holds what its setting cannot be.
    """
    _refuse_empty()
    try:
        return Settings(**given)
    except ValidationError as error:
        raise _refused(error.errors(include_url=False)[0]) from error


@contextmanager
def told_by_variable() -> Iterator[None]:
    """Name a setting that turns out to be wrong later by its variable."""
    try:
        yield
    except InvalidInputError as error:
        if error.field not in Settings.model_fields:
            raise
        variable = _variable([error.field])
        raise InvalidInputError(variable, error.value, error.expected) from error


def mistyped_variables() -> dict[str, str]:
    """Variables of the environment that nobody reads, and the setting that each is most like.

    Others may have variables of their own under our prefix: those like no setting are left alone.
    """
    found = {}
    for variable in os.environ:
        prefix, _, rest = variable.upper().partition("_")
        name = rest.partition("__")[0].lower()
        if prefix == "AETHEROPS" and name not in Settings.model_fields:
            for meant in difflib.get_close_matches(name, Settings.model_fields, 1, _ALIKE):
                found[variable] = _variable([meant])
    return found


def _refuse_empty() -> None:
    """Nothing is no value: not an address that listens everywhere, and no directory."""
    for variable, value in os.environ.items():
        name = variable.upper().removeprefix("AETHEROPS_").partition("__")[0].lower()
        if (
            not value
            and variable.upper().startswith("AETHEROPS_")
            and name in Settings.model_fields
        ):
            raise InvalidInputError(variable, value, "a value, or no such variable at all")


def _refused(found: ErrorDetails) -> InvalidInputError:
    path = [str(part) for part in found["loc"]]
    context = found.get("ctx", {})
    reason = context.get("error")
    if isinstance(reason, InvalidInputError):  # a rule over several settings of a group
        return InvalidInputError(_variable([*path, reason.field]), reason.value, reason.expected)
    if found["type"] == "extra_forbidden":
        expected = _closest(path)
    else:
        # A type without words here is an error of ours, raised in our words.
        form = _EXPECTED.get(found["type"], found["msg"])
        expected = form.format_map({name: _plain(value) for name, value in context.items()})
    return InvalidInputError(_variable(path), _shown(path[0], found["input"]), expected)


def _variable(path: Sequence[str]) -> str:
    return f"AETHEROPS_{'__'.join(path)}".upper()


def _plain(value: object) -> str:
    """A limit as people write it: 65,535 and not 65535.0."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return f"{value:,}" if isinstance(value, int) else str(value)


def _closest(path: Sequence[str]) -> str:
    """The setting of a group that an unknown name is most like."""
    group = Settings.model_fields[path[0]].annotation
    assert isinstance(group, type)
    assert issubclass(group, BaseModel)
    (name,) = difflib.get_close_matches(path[1], group.model_fields, n=1, cutoff=0.0)
    return f"a setting that exists, such as {_variable([path[0], name])}"


def _shown(name: str, value: object) -> object:
    """The value, unless it may be a password."""
    if SecretStr in get_args(Settings.model_fields[name].annotation):
        return "***"
    return without_secrets(value) if isinstance(value, str) else value
