"""Pickles read as data: plain values are built from what they say, and nothing of them is run.

`pickle.Unpickler` imports and calls what a pickle names, hashes what it nests, and takes the memory
that it asks for. Here each opcode of a short list changes a stack of plain values; any other is
refused.
"""

from __future__ import annotations

import io
import pickletools
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from aetherops.errors import InvalidInputError, LimitExceededError

__all__ = ["MAX_OPCODES", "PickledObject", "read_pickle"]

#: The most steps that one pickle may take; a workflow takes about forty.
MAX_OPCODES = 2_000_000

_EXPECTED = "a pickle of WorkflowEngine, MissionPipeline and plain values alone"
# Hashing a tuple that nests or repeats itself can take for ever; these are flat.
_KEYS = (str, int, float, bool, bytes, type(None))


@dataclass(eq=False, slots=True)
class PickledObject:
    """An object as its pickle tells it.

    Parameters
    ----------
    class_name : ``"WorkflowEngine"`` or ``"MissionPipeline"``.
    attributes : what it had, by name.
    """

    class_name: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Global:
    """A name that a pickle may mention: one of our classes, or what plain values are made with."""

    name: str
    make: Callable[..., object] | None = None


def _new_object(cls: object, base: object, state: object) -> PickledObject:
    if not isinstance(cls, _Global) or base is not _OBJECT or state is not None:
        _refuse("copyreg._reconstructor", "on one of our classes")
    return _instance(cls)


def _instance(cls: _Global) -> PickledObject:
    if cls.name not in ("WorkflowEngine", "MissionPipeline"):
        _refuse(cls.name, "where an object is made")
    return PickledObject(cls.name)


def _bytes(text: str = "", encoding: str = "latin1") -> bytes:
    """Bytes as protocols before 3 have them: each a character."""
    return text.encode("latin-1" if encoding in ("latin1", "latin-1") else "utf-8")


def _bytearray(content: str | bytes = b"", encoding: str = "latin1") -> bytes:
    return _bytes(content, encoding) if isinstance(content, str) else bytes(memoryview(content))


def _complex(real: float, imaginary: float = 0.0) -> complex:
    return complex(float(real), float(imaginary))


def _set(items: list[Any] | tuple[Any, ...] = ()) -> set[Any]:
    return {_key(item) for item in items}


_OBJECT = _Global("object")
_MODULES = ("aetherops.workflow", "aetherops.workflow.engine", "aetherops.workflow.pipeline")
_GLOBALS: dict[tuple[str, str], _Global] = {
    **{(module, "WorkflowEngine"): _Global("WorkflowEngine") for module in _MODULES},
    **{(module, "MissionPipeline"): _Global("MissionPipeline") for module in _MODULES},
    ("_codecs", "encode"): _Global("encode", _bytes),
    **{
        (module, name): made
        for module in ("builtins", "__builtin__")
        for name, made in {
            "object": _OBJECT,
            "bytes": _Global("bytes", _bytes),
            "bytearray": _Global("bytearray", _bytearray),
            "complex": _Global("complex", _complex),
            "set": _Global("set", _set),
            "frozenset": _Global("frozenset", _set),
        }.items()
    },
    **{
        (module, "_reconstructor"): _Global("_reconstructor", _new_object)
        for module in ("copyreg", "copy_reg")
    },
}


def read_pickle(data: bytes) -> object:
    """What a pickle of any protocol says: plain values, and `PickledObject` for our two classes.

    Sets are sets of plain values, a bytearray comes as bytes; no other object is known.

    Raises
    ------
    InvalidInputError
        It names anything else, is cut, or is no pickle.
    LimitExceededError
        It takes more than `MAX_OPCODES` steps.
    """
    try:
        with warnings.catch_warnings():
            # Text of old pickles may hold escapes that Python warns of; they mean what they did.
            warnings.simplefilter("ignore", DeprecationWarning)
            return _Machine().run(data)
    except InvalidInputError:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, OverflowError) as error:
        raise InvalidInputError("pickle", str(error), _EXPECTED) from error


def _refuse(what: str, where: str) -> NoReturn:
    raise InvalidInputError("pickle", f"{what} {where}", _EXPECTED)


def _key(value: object) -> Any:
    if type(value) not in _KEYS:
        _refuse(type(value).__name__, "as a key or in a set")
    return value


class _Machine:
    """The stack that opcodes work on, with one more below it for each open mark, and the memo."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def run(self, data: bytes) -> object:
        source = io.BytesIO(data)
        for count, (opcode, argument, _) in enumerate(pickletools.genops(source)):
            if count >= MAX_OPCODES:
                raise LimitExceededError("steps of one pickle", MAX_OPCODES, count + 1)
            if opcode.name == "STOP":
                break
            step = _STEPS.get(opcode.name)
            if step is None:
                _refuse(f"opcode {opcode.name}", "in it")
            step(self, argument)
        if source.read(1):
            _refuse("more", "after its end")
        [value] = self.stack
        return value

    def to_mark(self) -> list[Any]:
        """Everything since the last mark, which ends."""
        items, self.stack = self.stack, self.below.pop()
        return items

    def top(self, kind: type[Any]) -> Any:
        """What lies on top, which must be of this very type."""
        if type(self.stack[-1]) is not kind:
            _refuse(type(self.stack[-1]).__name__, f"where a {kind.__name__} is filled")
        return self.stack[-1]

    def push(self, value: object) -> None:
        self.stack.append(value)

    def mark(self, _: object) -> None:
        self.below.append(self.stack)
        self.stack = []

    def pop(self, _: object) -> None:
        if self.stack:
            self.stack.pop()
        else:
            self.to_mark()

    def remember(self, index: int) -> None:
        self.memo[index] = self.stack[-1]

    def append(self, items: list[Any]) -> None:
        self.top(list).extend(items)

    def set_items(self, items: list[Any]) -> None:
        target = self.top(dict)
        for key, value in zip(items[::2], items[1::2], strict=True):
            target[_key(key)] = value

    def add_items(self, items: list[Any]) -> None:
        self.top(set).update(_set(items))

    def name(self, module: object, name: object) -> None:
        if not isinstance(module, str) or not isinstance(name, str):
            _refuse("a name", "that is no text")
        known = _GLOBALS.get((module, name))
        if known is None:
            _refuse(f"{module}.{name}", "named in it")
        self.push(known)

    def call(self, _: object) -> None:
        arguments, function = self.stack.pop(), self.stack.pop()
        if type(arguments) is not tuple or type(function) is not _Global or function.make is None:
            _refuse("a call", "of something else")
        self.push(function.make(*arguments))

    def new_object(self, _: object) -> None:
        arguments, cls = self.stack.pop(), self.stack.pop()
        if arguments != () or type(cls) is not _Global:
            _refuse("an object", "made with arguments, or of something else")
        self.push(_instance(cls))

    def fill_object(self, _: object) -> None:
        attributes = self.stack.pop()
        if type(attributes) is not dict or not all(type(name) is str for name in attributes):
            _refuse("an object", "filled otherwise than with attributes")
        self.top(PickledObject).attributes.update(attributes)


_Step = Callable[[_Machine, Any], object]


def _from_mark(make: Callable[[list[Any]], object]) -> _Step:
    """A step that pushes what is made of everything since the last mark."""
    return lambda machine, _: machine.push(make(machine.to_mark()))


def _tuple_of(count: int) -> _Step:
    def step(machine: _Machine, _: object) -> None:
        items = [machine.stack.pop() for _ in range(count)]
        machine.push(tuple(reversed(items)))

    return step


def _dict_from_mark(machine: _Machine, _: object) -> None:
    items = machine.to_mark()
    machine.push({})
    machine.set_items(items)


def _set_item(machine: _Machine, _: object) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    machine.set_items([key, value])


def _nothing(_: _Machine, __: object) -> None:
    """Protocol and frames say how the rest is written, which the reader of opcodes knows."""


_VALUES = (
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT STRING BINSTRING SHORT_BINSTRING "
    "UNICODE BINUNICODE SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8"
)
_STEPS: dict[str, _Step] = {
    **dict.fromkeys(("PROTO", "FRAME"), _nothing),
    **dict.fromkeys(_VALUES.split(), _Machine.push),
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT"), _Machine.remember),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), lambda m, index: m.push(m.memo[index])),
    "MEMOIZE": lambda m, _: m.remember(len(m.memo)),
    "BYTEARRAY8": lambda m, value: m.push(bytes(value)),
    "NONE": lambda m, _: m.push(None),
    "NEWTRUE": lambda m, _: m.push(True),
    "NEWFALSE": lambda m, _: m.push(False),
    "EMPTY_LIST": lambda m, _: m.push([]),
    "EMPTY_DICT": lambda m, _: m.push({}),
    "EMPTY_SET": lambda m, _: m.push(set()),
    "EMPTY_TUPLE": lambda m, _: m.push(()),
    "MARK": _Machine.mark,
    "POP": _Machine.pop,
    "POP_MARK": lambda m, _: m.to_mark(),
    "DUP": lambda m, _: m.push(m.stack[-1]),
    "LIST": _from_mark(list),
    "TUPLE": _from_mark(tuple),
    "FROZENSET": _from_mark(_set),
    "DICT": _dict_from_mark,
    "TUPLE1": _tuple_of(1),
    "TUPLE2": _tuple_of(2),
    "TUPLE3": _tuple_of(3),
    "APPEND": lambda m, _: m.append([m.stack.pop()]),
    "APPENDS": lambda m, _: m.append(m.to_mark()),
    "SETITEM": _set_item,
    "SETITEMS": lambda m, _: m.set_items(m.to_mark()),
    "ADDITEMS": lambda m, _: m.add_items(m.to_mark()),
    "GLOBAL": lambda m, names: m.name(*names.split(" ", 1)),
    "STACK_GLOBAL": lambda m, _: m.name(*[m.stack.pop(), m.stack.pop()][::-1]),
    "REDUCE": _Machine.call,
    "NEWOBJ": _Machine.new_object,
    "BUILD": _Machine.fill_object,
}
