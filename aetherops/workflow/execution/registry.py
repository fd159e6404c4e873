"""What a process can execute: definitions of workflows, and the handlers of their steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from aetherops.errors import InvalidInputError
from aetherops.workflow.checks import name_text
from aetherops.workflow.execution.definition import UNDO, Task, WorkflowDefinition
from aetherops.workflow.execution.errors import MissingHandlerError, UnknownDefinitionError
from aetherops.workflow.execution.handlers import Handler

__all__ = ["Registry"]

_Handler = TypeVar("_Handler", bound=Handler)


class Registry:
    """Definitions by name and version, and handlers by name.

    Earlier versions stay registered as long as workflows run on them.
    """

    def __init__(self) -> None:
        self._definitions: dict[str, WorkflowDefinition] = {}
        self._handlers: dict[str, Handler] = {}

    def add(self, definition: WorkflowDefinition) -> WorkflowDefinition:
        """Register a definition, and return it.

        Raises
        ------
        InvalidInputError
            This version of it is registered with other steps.
        """
        known = self._definitions.setdefault(definition.key, definition)
        if known != definition:
            raise InvalidInputError(
                f"workflow {definition.name}, version",
                definition.version,
                "a new version for other steps",
            )
        return definition

    def handler(self, name: str) -> Callable[[_Handler], _Handler]:
        """Register a function as the handler of this name; a decorator.

        Raises
        ------
        InvalidInputError
            The name is taken.
        """
        name_text(name, "handler")

        def register(handler: _Handler) -> _Handler:
            if self._handlers.setdefault(name, handler) is not handler:
                raise InvalidInputError("handler", name, "a name that no other handler has")
            return handler

        return register

    def check(self) -> None:
        """Make sure that every step can be done; raises `MissingHandlerError` otherwise."""
        for definition in self._definitions.values():
            for step in definition.steps:
                if not isinstance(step, Task):
                    continue
                if step.handler not in self._handlers:
                    raise MissingHandlerError(definition.name, step.name, step.handler)
                if step.undo is not None and step.undo not in self._handlers:
                    raise MissingHandlerError(definition.name, UNDO + step.name, step.undo)

    @property
    def keys(self) -> list[str]:
        """Of every definition."""
        return list(self._definitions)

    def latest(self, name: str) -> WorkflowDefinition:
        """The newest version of this name; raises `UnknownDefinitionError` where there is none."""
        found = [one for one in self._definitions.values() if one.name == name]
        if not found:
            raise UnknownDefinitionError(name)
        return max(found, key=lambda one: one.version)

    def definition(self, key: str) -> WorkflowDefinition:
        """The definition of this key; raises `UnknownDefinitionError` where there is none."""
        try:
            return self._definitions[key]
        except KeyError:
            raise UnknownDefinitionError(key) from None

    def handler_of(self, name: str) -> Handler:
        """The handler of this name, which `check` has seen."""
        return self._handlers[name]
