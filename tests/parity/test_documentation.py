"""``help()`` says the same of a compiled class or function and of its pure twin."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest

from aetherops import core
from aetherops.telemetry import Moments, SlidingWindow, StreamingAggregator

NAMES = [(module, name) for module, names in core._KERNELS.items() for name in names]
# Says which it is, so its twins differ.
OWN_WORDS = {"instruction_set"}
# What its kinds have in common; the compiled one has no constructor.
NEVER_MADE = {"KeyedCounters"}


def members(kind: Any) -> list[str]:
    """The public members of a class; none of a function."""
    return [name for name in dir(kind) if name[0] != "_"] if inspect.isclass(kind) else []


def pairs(twins: Any, module: str, name: str) -> Iterator[tuple[str, Any, Any]]:
    """A name and its members as both twins have them."""
    native, pure = (getattr(twin, name) for twin in twins(module))
    yield name, native, pure
    for member in members(pure):
        yield f"{name}.{member}", getattr(native, member), getattr(pure, member)


def parameters(function: Any) -> list[tuple[str, Any, bool]]:
    """Names, kinds and presence of defaults, without the types that only Python writes."""
    signature = inspect.signature(function)
    return [
        (one.name, one.kind, one.default is one.empty)
        for one in signature.parameters.values()
        if one.name != "self"
    ]


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_twins_offer_the_same_public_names(twins, module, name):
    native, pure = (getattr(twin, name) for twin in twins(module))
    assert sorted(members(native)) == sorted(members(pure))


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_twins_are_described_in_the_same_words(twins, module, name):
    differing = {
        where: (inspect.getdoc(native), inspect.getdoc(pure))
        for where, native, pure in pairs(twins, module, name)
        if not (inspect.getdoc(pure) or inspect.ismemberdescriptor(pure))
        or (inspect.getdoc(native) != inspect.getdoc(pure) and name not in OWN_WORDS)
    }
    assert differing == {}


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_plain_attributes_are_described_with_their_class(twins, module, name):
    _, pure = (getattr(twin, name) for twin in twins(module))
    for member in members(pure):
        attribute = inspect.getattr_static(pure, member)
        if inspect.ismemberdescriptor(attribute) and not inspect.getdoc(attribute):
            assert re.search(rf"^([\w, ]+, )?{member}(,[\w, ]+)? : ", inspect.getdoc(pure), re.M), (
                member
            )


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_twins_take_the_same_parameters(twins, module, name):
    for where, native, pure in pairs(twins, module, name):
        if callable(pure) and where not in NEVER_MADE:
            assert parameters(native) == parameters(pure), where


@pytest.mark.parametrize(("module", "name"), NAMES, ids=[name for _, name in NAMES])
def test_classes_refuse_what_they_are_not_made_from(twins, module, name):
    for kind in (getattr(twin, name) for twin in twins(module)):
        if inspect.isclass(kind) and name not in NEVER_MADE:
            with pytest.raises(TypeError):
                kind(no_such_argument=1)
            with pytest.raises(TypeError):
                kind(*[None] * 20)


@pytest.mark.parametrize("kind", [Moments, SlidingWindow, StreamingAggregator])
def test_classes_that_users_make_tell_what_they_are_made_from(kind):
    assert "self" not in inspect.signature(kind).parameters


def test_every_twin_is_looked_at():
    for module in core._KERNELS:
        pure = import_module(f"aetherops.core._pure.{module}")
        public = {name for name in pure.__all__ if callable(getattr(pure, name))}
        offered = set(core._KERNELS[module])
        assert offered <= public
