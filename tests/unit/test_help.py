"""What `dir()` and `help()` show of the packages that programs import."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterator
from typing import Any

import pytest

PACKAGES = [
    "aetherops",
    *(
        f"aetherops.{name}"
        for name in (
            *("aggregation", "queue", "resilience", "statistics", "telemetry", "workflow"),
            *("ratelimit", "ratelimit.load", "ratelimit.local", "ratelimit.shared"),
        )
    ),
]
PARTS_OF_AETHEROPS = {
    *("aggregation", "queue", "ratelimit", "resilience", "services", "statistics", "telemetry"),
    "workflow",
}


def callables(package: str) -> Iterator[tuple[str, Any]]:
    """The public functions, classes and methods of a package."""
    module = importlib.import_module(package)
    for name in module.__all__:
        value = getattr(module, name)
        if callable(value):
            yield name, value
        if inspect.isclass(value):
            for method, function in inspect.getmembers(value, callable):
                if not method.startswith("_"):
                    yield f"{name}.{method}", function


@pytest.mark.parametrize("package", PACKAGES)
def test_dir_shows_the_public_names_of_a_package_alone(package: str) -> None:
    module = importlib.import_module(package)
    shown = {name for name in dir(module) if not name.startswith("__")}
    assert shown == {*module.__all__, *(PARTS_OF_AETHEROPS if package == "aetherops" else ())}


@pytest.mark.parametrize("package", PACKAGES)
def test_help_shows_no_address_of_a_default(package: str) -> None:
    for name, value in callables(package):
        try:
            signature = str(inspect.signature(value))
        except (TypeError, ValueError):  # some builtins tell none
            continue
        assert " at 0x" not in signature, name


def test_a_named_default_is_the_function_it_names() -> None:
    from aetherops.resilience import Breaker, Retry

    draw = inspect.signature(Breaker).parameters["random"].default
    assert repr(draw) == "random.random"
    assert 0 <= draw() < 1
    assert " at 0x" not in repr(Retry())
