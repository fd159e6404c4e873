"""What a package shows: names imported when they are first used, and `dir` without the rest."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module

__all__ = ["lazy_names", "public_names"]


def lazy_names(
    package: str, names_by_module: Mapping[str, Iterable[str]], parts: Iterable[str] = ()
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """The ``__getattr__`` and ``__dir__`` of a package (PEP 562) whose names stand elsewhere.

    Parameters
    ----------
    package : its ``__name__``.
    names_by_module : where each name comes from.
    parts : its own subpackages that are imported on first use.
    """
    module_by_name = {name: module for module, names in names_by_module.items() for name in names}
    parts = tuple(parts)
    namespace = vars(sys.modules[package])

    def get(name: str) -> object:
        if name in parts:
            return import_module(f"{package}.{name}")
        if name not in module_by_name:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = namespace[name] = getattr(import_module(module_by_name[name]), name)
        return value

    return get, public_names(package, parts)


def public_names(package: str, parts: Iterable[str] = ()) -> Callable[[], list[str]]:
    """The ``__dir__`` of a package: its ``__all__``, not what it is made of.

    Parameters
    ----------
    package : its ``__name__``.
    parts : its subpackages that are names of it as well.
    """
    parts = tuple(parts)
    namespace = vars(sys.modules[package])

    def names() -> list[str]:
        special = (name for name in namespace if name.startswith("__"))
        return sorted({*special, *namespace["__all__"], *parts})

    return names
