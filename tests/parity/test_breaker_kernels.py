"""Both twins of the breaker's kernels give the same answers and state through any history."""

from __future__ import annotations

import inspect
import random
from importlib import import_module
from typing import Any

import pytest

from aetherops.errors import InvalidInputError
from aetherops.resilience.breakers.states import TRANSITIONS, State, Trigger, encode_transitions

pytest.importorskip("aetherops.core._native.resilience.guards")

SECOND = 1_000_000_000
TABLE = encode_transitions()
FIELDS = (
    *("state", "override", "generation", "changed_ns", "due_ns", "moved"),
    *("consecutive_failures", "reopenings", "probes_left", "probe_successes", "probe_failures"),
    *("successes", "failures", "slow", "neutral", "late", "refused"),
)
WINDOWS: list[tuple[str, tuple[int, ...]] | None] = [
    None,
    ("CountOutcomes", (1,)),
    ("CountOutcomes", (7,)),
    ("CountOutcomes", (100,)),
    ("TimeOutcomes", (SECOND, 10)),
    ("TimeOutcomes", (1, 1)),
    ("TimeOutcomes", (333_333_334, 3)),
    ("TimeOutcomes", (10**15, 4)),
]


def twins(module: str, name: str) -> tuple[Any, Any]:
    """The pure and the compiled one."""
    return tuple(
        getattr(import_module(f"aetherops.core.{side}.resilience.{module}"), name)
        for side in ("_pure", "_native")
    )


def outcome(call: Any, *arguments: Any) -> Any:
    try:
        return call(*arguments)
    except Exception as error:
        return type(error), str(error)


def kernels(rules: tuple[Any, ...], window: tuple[str, tuple[int, ...]] | None) -> list[Any]:
    made = []
    for side, kernel in enumerate(twins("breaker", "BreakerKernel")):
        outcomes = None if window is None else twins("outcomes", window[0])[side](*window[1])
        made.append(kernel(TABLE, outcomes, *rules))
    return made


def drawn_rules(draw: random.Random) -> tuple[Any, ...]:
    successes = draw.randint(1, 3)
    return (
        draw.choice([0, 1, 3, 10]),
        draw.choice([2.0, 0.1, 0.3, 1 / 3, 0.5, 1.0]),
        draw.choice([2.0, 0.2, 1.0]),
        draw.choice([0, 1, SECOND]),
        draw.choice([1, 2, 7]),
        successes + draw.randint(0, 2),
        successes,
        draw.choice([1, 20 * SECOND]),
        draw.choice([1, 10 * SECOND]),
    )


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("seed", range(12))
def test_any_history_leaves_both_alike(window: Any, seed: int) -> None:
    draw = random.Random(seed)
    pure, native = kernels(drawn_rules(draw), window)
    now_ns, permits = draw.choice([-(10**17), 0, 10**17]), [(0, 0)]
    for _ in range(1_500):
        now_ns += draw.choice([0, 0, 1, SECOND // 3, SECOND, 9 * SECOND, -SECOND])
        name, arguments = drawn_step(draw, now_ns, permits)
        answers = [outcome(getattr(kernel, name), *arguments) for kernel in (pure, native)]
        assert answers[0] == answers[1], (name, arguments)
        if name == "acquire":
            permits.append((answers[0], now_ns))
        assert state(pure) == state(native), (name, arguments)


def drawn_step(
    draw: random.Random, now_ns: int, permits: list[tuple[int, int]]
) -> tuple[str, tuple[Any, ...]]:
    step = draw.random()
    if step < 0.4:
        return "acquire", (now_ns,)
    if step < 0.85:
        generation, start_ns = draw.choice(permits[-8:])
        return "settle", (generation, start_ns, draw.choice([0, 1, 1, 2]), now_ns)
    if step < 0.9:
        return draw.choice([("read", (now_ns,)), ("rows", (now_ns,)), ("wait_ns", (now_ns,))])
    if step < 0.94:
        return "take_move", ()
    if step < 0.96:
        return "arm", (draw.randint(1, 30 * SECOND),)
    return "move", (draw.randint(7, 13), now_ns)


def state(kernel: Any) -> tuple[Any, ...]:
    window = kernel.window
    counts = None if window is None else (window.calls, window.failures, window.slow)
    return (*(getattr(kernel, field) for field in FIELDS), counts)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("away_ns", [0, 1, SECOND, 10**17])
def test_a_state_of_either_is_taken_up_by_the_other(window: Any, away_ns: int) -> None:
    draw = random.Random(away_ns)
    rules = drawn_rules(draw)
    for giver in kernels(rules, window):
        now_ns = 0
        for _ in range(50):
            now_ns += draw.choice([0, SECOND])
            giver.settle(giver.generation, now_ns, draw.choice([0, 1]), now_ns)
        takers = kernels(rules, window)
        fields = ("state", "override", "generation", "consecutive_failures", "reopenings")
        standing = [getattr(giver, field) for field in fields]
        for taker in takers:
            taker.restore(*standing, -5, 7, giver.rows(now_ns), 99 * SECOND, away_ns)
        assert state(takers[0]) == state(takers[1])
        assert takers[0].read(99 * SECOND) == takers[1].read(99 * SECOND)
        assert takers[0].rows(99 * SECOND) == takers[1].rows(99 * SECOND)


@pytest.mark.parametrize("window", [window for window in WINDOWS if window])
def test_windows_answer_alike_by_themselves(window: Any) -> None:
    draw = random.Random(1)
    pure, native = (twin(*window[1]) for twin in twins("outcomes", window[0]))
    now_ns = 0
    for _ in range(2_000):
        now_ns += draw.choice([0, 1, SECOND // 3, SECOND, 40 * SECOND, -SECOND])
        step = draw.choice(["push", "push", "push", "advance", "rows", "clear"])
        if step == "clear" and draw.random() < 0.9:
            continue
        arguments: tuple[Any, ...] = () if step == "clear" else (now_ns,)
        if step == "push":
            arguments = (now_ns, draw.random() < 0.5, draw.random() < 0.5)
        assert getattr(pure, step)(*arguments) == getattr(native, step)(*arguments)
        assert (pure.calls, pure.failures, pure.slow) == (
            native.calls,
            native.failures,
            native.slow,
        )


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        ("outcomes", "CountOutcomes", (0,)),
        ("outcomes", "TimeOutcomes", (0, 1)),
        ("outcomes", "TimeOutcomes", (1, 0)),
        ("breaker", "BreakerKernel", (b"", None, 0, 2.0, 2.0, 0, 1, 1, 1, 1, 1)),
    ],
)
def test_bad_input_is_refused_alike(module: str, name: str, arguments: tuple[Any, ...]) -> None:
    pure, native = (outcome(twin, *arguments) for twin in twins(module, name))
    assert pure == native
    assert pure[0] is InvalidInputError


def test_a_move_that_the_table_forbids_moves_neither() -> None:
    for kernel in kernels((5, 2.0, 2.0, 0, 1, 1, 1, 1, 1), None):
        assert not kernel.move(list(Trigger).index(Trigger.PROBED), 0)
        assert not kernel.move(list(Trigger).index(Trigger.RELEASED), 0)
        assert (kernel.state, kernel.generation, kernel.take_move()) == (0, 0, None)


def test_every_trigger_that_the_kernels_fire_is_in_the_table() -> None:
    fired_in = {
        State.CLOSED: (Trigger.FAILURE_THRESHOLD, Trigger.FAILURE_RATE, Trigger.SLOW_CALL_RATE),
        State.OPEN: (Trigger.RESET_TIMEOUT,),
        State.HALF_OPEN: (
            Trigger.PROBES_SUCCEEDED,
            Trigger.PROBES_FAILED,
            Trigger.PROBES_EXPIRED,
        ),
    }
    for source, triggers in fired_in.items():
        for trigger in triggers:
            assert (source, trigger) in TRANSITIONS
    held = [trigger for trigger in Trigger if str(trigger) in ("forced-open", "reset")]
    assert all((source, trigger) in TRANSITIONS for source in State for trigger in held)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("breaker", "BreakerKernel"),
        ("outcomes", "CountOutcomes"),
        ("outcomes", "TimeOutcomes"),
        ("guards", "CallGuard"),
    ],
)
def test_both_offer_the_same_names_with_the_same_parameters(module: str, name: str) -> None:
    pure, native = twins(module, name)
    public = [sorted(n for n in dir(twin) if not n.startswith("_")) for twin in (pure, native)]
    assert public[0] == public[1]
    for method in public[0]:
        if callable(getattr(pure, method)):
            parameters = [parameter_names(getattr(twin, method)) for twin in (pure, native)]
            assert parameters[0] == parameters[1], method


def parameter_names(method: Any) -> list[str]:
    """By the signature, or as compiled methods write it into the first line of their text."""
    try:
        return list(inspect.signature(method).parameters)
    except ValueError:
        listed = method.__doc__.partition("(")[2].partition(")")[0]
        names = (part.split(":")[0].split("=")[0].split()[-1] for part in listed.split(","))
        return [name.strip("*") for name in names if name != "/"]
