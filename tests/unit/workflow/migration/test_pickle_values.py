"""Pickles read as data: every protocol of honest ones, and nothing of hostile ones."""

from __future__ import annotations

import os
import pickle
import pickletools
import struct
import subprocess
from collections import OrderedDict
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import AetherOpsError, InvalidInputError, LimitExceededError
from aetherops.workflow import MissionPipeline, WorkflowEngine
from aetherops.workflow.migration.pickle_values import MAX_OPCODES, PickledObject, read_pickle

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**80), 2**80)
    | st.floats(allow_nan=False)
    | st.text(max_size=400)
    | st.binary(max_size=400)
)
VALUES = st.recursive(
    SCALARS | st.complex_numbers(allow_nan=False) | st.sets(SCALARS) | st.frozensets(SCALARS),
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(SCALARS, inner),
    max_leaves=20,
)


class Hostile:
    """Pickles as a call of anything."""

    def __init__(self, *call: Any) -> None:
        self.call = call

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


@given(VALUES, st.sampled_from(PROTOCOLS))
def test_plain_values_are_what_they_were(value: object, protocol: int) -> None:
    assert read_pickle(pickle.dumps(value, protocol)) == value


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_our_two_classes_are_told_by_name_and_attributes(protocol: int) -> None:
    engine, pipeline = WorkflowEngine(), MissionPipeline()
    engine.advance("validated")
    pipeline.advance()
    pipeline.attach_artifact("plan", {"burns": [1, 2.5, None, True]})
    read = read_pickle(pickle.dumps({"w": engine, "m": pipeline}, protocol))
    assert isinstance(read, dict)
    assert (read["w"].class_name, read["w"].attributes) == ("WorkflowEngine", vars(engine))
    assert (read["m"].class_name, read["m"].attributes) == ("MissionPipeline", vars(pipeline))


def test_what_stands_twice_is_one_value() -> None:
    engine = WorkflowEngine()
    read = read_pickle(pickle.dumps([engine, engine]))
    assert isinstance(read, list)
    assert isinstance(read[0], PickledObject)
    assert read[0] is read[1]


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize(
    "call",
    [
        (os.system, ("exit 1",)),
        (subprocess.check_output, (["true"],)),
        (eval, ("1 + 1",)),
        (exec, ("import os",)),
        (getattr, (WorkflowEngine, "__init__")),
        (__import__, ("os",)),
        (open, ("/etc/passwd",)),
        (OrderedDict, ()),
        (print, ("called",)),
    ],
    ids=lambda call: call[0].__name__,
)
def test_nothing_that_a_pickle_names_is_called(
    call: tuple[Any, ...], protocol: int, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InvalidInputError, match=f"{call[0].__name__} named in it"):
        read_pickle(pickle.dumps([WorkflowEngine(), {"a": Hostile(*call)}], protocol))
    assert capsys.readouterr().out == ""


# The classes that an attacker would poison are no classes here, and what is called is checked.
GLOBAL_ENGINE = b"caetherops.workflow\nWorkflowEngine\n"
HANDMADE = {
    "attributes set on the class itself": GLOBAL_ENGINE + b"N}(Vadvance\nNu\x86b.",
    "attributes set on the class by a dictionary": GLOBAL_ENGINE + b"}(Vadvance\nNub.",
    "slots": GLOBAL_ENGINE + b")\x81N}\x86b.",
    "an attribute without a name": GLOBAL_ENGINE + b")\x81}(K\x01K\x02ub.",
    "an object made with arguments": GLOBAL_ENGINE + b"K\x01\x85\x81.",
    "an object made of object": b"cbuiltins\nobject\n)\x81.",
    "an object made of set": b"cbuiltins\nset\n)\x81.",
    "a class that is called": GLOBAL_ENGINE + b")R.",
    "text that is called": b"Vabc\n)R.",
    "arguments that are a list": b"cbuiltins\nset\n]R.",
    "a state given to _reconstructor": b"ccopyreg\n_reconstructor\n("
    + GLOBAL_ENGINE
    + b"cbuiltins\nobject\nK\x01tR.",
    "another base given to _reconstructor": b"ccopyreg\n_reconstructor\n("
    + GLOBAL_ENGINE
    + b"cbuiltins\nset\nNtR.",
    "object reconstructed": b"ccopyreg\n_reconstructor\n(" + b"cbuiltins\nobject\n" * 2 + b"NtR.",
    "gigabytes of zeros": b"cbuiltins\nbytearray\n(\x8a\x05\x00\x00\x00\x00\x02tR.",
    "a persistent id": b"P1\n.",
    "a persistent id from the stack": b"K\x01Q.",
    "an extension code": b"\x82\x01.",
    "an instance of old": b"(ios\nsystem\n.",
    "an object of old": b"(cos\nsystem\no.",
    "a buffer from outside": b"\x80\x05\x97.",
    "a name made on the stack": b"\x80\x04\x8c\x02os\x8c\x06system\x93.",
    "a name that is no text": b"\x80\x04K\x01K\x02\x93.",
    "a dotted name": b"\x80\x04\x8c\x12aetherops.workflow\x8c\x0fmemory.os.system\x93.",
    "a tuple as a key": b"}(K\x01\x85Nu.",
    "a list in a set": b"\x80\x04\x8f(]\x90.",
    "a key without a value": b"}(K\x01u.",
    "items put into a number": b"K\x01(K\x02e.",
    "a memo that was never written": b"h\x05.",
    "a mark that was never set": b"t.",
    "an empty stack": b".",
    "two values at the end": b"NN.",
    "no end": b"N",
    "more after the end": b"N.N.",
    "nothing": b"",
    "noise": bytes(range(256)),
    "a protocol of the future": b"\x80\xff\xffN.",
}


@pytest.mark.parametrize("data", HANDMADE.values(), ids=HANDMADE.keys())
def test_what_no_honest_pickle_has_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="expected a pickle of WorkflowEngine"):
        read_pickle(data)
    assert WorkflowEngine().advance("validated"), "the class is what it was"


@pytest.mark.parametrize(
    "opening", [b"B", b"X", b"T", b"\x8a", b"\x8b", b"\x8d", b"\x8e", b"\x96", b"r", b"j"]
)
def test_a_length_or_an_index_is_not_believed(opening: bytes) -> None:
    """A few bytes that ask `pickle.loads` for gigabytes."""
    for size in (struct.pack("<Q", 2**40), struct.pack("<I", 2**31 - 1), b"\xff" * 8):
        with pytest.raises(InvalidInputError):
            read_pickle(b"\x80\x05" + opening + size + b".")


def test_an_index_of_the_memo_takes_no_memory() -> None:
    assert read_pickle(b"Nr" + struct.pack("<I", 2**31 - 1) + b".") is None


def test_lists_that_repeat_themselves_a_billion_times_are_read_in_no_time() -> None:
    laughs: list[Any] = ["ha"]
    for _ in range(60):
        laughs = [laughs] * 10
    read = read_pickle(pickle.dumps(laughs))
    assert isinstance(read, list)
    assert all(one is read[0] for one in read)


def test_nesting_without_end_neither_overflows_nor_recurses() -> None:
    deep = 100_000
    assert read_pickle(b"]" * deep + b"a" * (deep - 1) + b".") is not None
    with pytest.raises(InvalidInputError, match="tuple as a key"):
        # The tuple's hash alone ends an interpreter.
        read_pickle(b"})" + b"\x85" * deep + b"Ns.")


def test_steps_are_counted() -> None:
    with pytest.raises(LimitExceededError, match="steps of one pickle"):
        read_pickle(b"N0" * MAX_OPCODES + b"N.")


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_cut_anywhere_it_is_refused(protocol: int) -> None:
    data = pickle.dumps(MissionPipeline(), protocol)
    for end in range(len(data)):
        with pytest.raises(InvalidInputError):
            read_pickle(data[:end])


@given(st.data(), st.sampled_from(PROTOCOLS))
def test_damaged_anywhere_it_is_read_as_plain_values_or_refused(
    data: st.DataObject, protocol: int
) -> None:
    pipeline = MissionPipeline()
    pipeline.attach_artifact("plan", {"burns": [1, 2.5, {3}], "note": "ü"})
    damaged = bytearray(pickle.dumps(pipeline, protocol))
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with suppress(AetherOpsError):
        read_pickle(bytes(damaged))


OPCODES = [opcode.code.encode("latin-1") for opcode in pickletools.opcodes]


@given(st.lists(st.sampled_from(OPCODES) | st.binary(max_size=4), max_size=60))
def test_any_opcodes_are_read_as_plain_values_or_refused(parts: list[bytes]) -> None:
    with suppress(AetherOpsError):
        read_pickle(b"".join(parts) + b".")
