"""Classes with a kernel inside show their public names and no others."""

from __future__ import annotations

import inspect
from importlib import import_module
from pkgutil import iter_modules

import pytest

import aetherops.aggregation
from aetherops import core, telemetry
from aetherops.telemetry import Moments, SlidingWindow, StreamingAggregator

VOCABULARY = {
    StreamingAggregator: """
        push push_many n_seen moments snapshot drain merge reset copy to_bytes from_bytes
        factors functions decimals nan_policy anomaly_threshold mode warmup ddof""",
    Moments: """
        push push_many count mean m2 min max first last variance std summary merge reset
        copy from_summary to_bytes from_bytes nan_policy""",
    SlidingWindow: """
        push push_many expire count values times_us summary moments anomalies reset copy
        size duration_us""",
}


def public(kind):
    return {name for name in dir(kind) if not name.startswith("_")}


@pytest.mark.parametrize("kind", VOCABULARY, ids=lambda kind: kind.__name__)
def test_a_class_shows_its_public_names_alone(kind):
    assert public(kind) == set(VOCABULARY[kind].split())


@pytest.mark.parametrize("kind", VOCABULARY, ids=lambda kind: kind.__name__)
def test_what_is_written_over_in_a_subclass_is_called(kind):
    class Counting(kind):
        pushed = 0

        def push(self, x):
            self.pushed += 1
            return super().push(x)

    made = Counting(3) if kind is StreamingAggregator else Counting(**sizes(kind))
    made.push(1.0)
    assert made.pushed == 1


def sizes(kind):
    return {"size": 3} if kind is SlidingWindow else {}


def modules():
    found = iter_modules(aetherops.aggregation.__path__, "aetherops.aggregation.")
    return [import_module(name) for name in (*(one.name for one in found), "aetherops.statistics")]


@pytest.mark.parametrize("module", modules(), ids=lambda module: module.__name__)
def test_every_public_name_says_what_it_is(module):
    assert inspect.getdoc(module)
    silent = [name for name in module.__all__ if not _says(module, name)]
    for name in module.__all__:
        kind = getattr(module, name)
        if inspect.isclass(kind):
            silent += [f"{name}.{one}" for one in _own(kind) if not _says(kind, one)]
    assert silent == []


def test_every_name_of_the_public_packages_says_what_it_is():
    assert inspect.getdoc(aetherops.aggregation)
    assert [name for name in telemetry.__all__ if not _says(telemetry, name)] == []


def test_buckets_are_reduced_by_the_same_functions_everywhere():
    pytest.importorskip("graphene")
    inputs = import_module("aetherops.api.graphql.schema.inputs")
    asked = {one.value for one in inputs.DownsampleFunction._meta.enum}
    archive = import_module("aetherops.archive.reductions")
    assert asked == set(archive.FUNCTIONS) == set(core.FUNCTIONS)


def _says(owner, name):
    """Whether a class, a function or a property has a docstring; a plain value needs none."""
    getattr(owner, name)  # which may be imported by this
    thing = inspect.getattr_static(owner, name)
    described = (
        inspect.isclass(thing) or inspect.isroutine(thing) or inspect.isdatadescriptor(thing)
    )
    return not described or bool(inspect.getdoc(getattr(owner, name)))


def _own(kind):
    """Public members that AetherOps wrote, not those of tuple or Enum."""
    ours = [one for one in kind.__mro__ if one.__module__.startswith("aetherops")]
    fields = {*getattr(kind, "_fields", ()), *getattr(kind, "__dataclass_fields__", ())}
    return sorted({name for one in ours for name in vars(one) if name[0] != "_"} - fields)
