"""Whatever a core function is given, it answers or refuses as its twin does, and reads no further.

AETHEROPS_FUZZ_SECONDS lets it go on for so long; `make sanitize` does so under the sanitizers.
"""

from __future__ import annotations

import os
import struct
import time
from array import array
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path
from typing import Any

import pytest

_spec = util.spec_from_file_location("arguments", Path(__file__).with_name("arguments.py"))
_arguments = util.module_from_spec(_spec)
_spec.loader.exec_module(_arguments)
Arguments = _arguments.Arguments

SECONDS = float(os.environ.get("AETHEROPS_FUZZ_SECONDS", "0"))
N_ROUNDS = 60


def _merge_runs(a):
    length = a.rng.choice([0, 1, 5, 30])
    columns = [a.column(a.rng.randint(0, 9) if a.odd(0.02) else length) for _ in range(6)]
    counts = a.integers([a.rng.choice([0, 1, 7, 2**40]) for _ in range(length)])
    return (counts, *columns, a.offsets(length))


def _runs(a):
    values = a.column()
    length = len(values) if hasattr(values, "__len__") else 3
    return values, a.offsets(length)


def _time_runs(a):
    instants = (a.instant(), a.instant(), a.instant())
    return (a.times(), a.whole(500), *instants, a.flag(), a.whole(3000))


FUNCTIONS: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "find_anomalies": lambda a: (a.source(), a.float_(), a.float_(), a.float_()),
    "extreme_points": lambda a: (a.column(), a.whole()),
    "largest_triangles": lambda a: (
        (a.column(length) if a.flag() else None, a.column(length), a.whole(length))
        if (length := a.rng.choice([0, 3, 20, 200])) is not None
        else ()
    ),
    "round_all": lambda a: (a.source(), a.decimals()),
    "median_runs": _runs,
    "summarize_runs": _runs,
    "without_nan": _runs,
    "merge_runs": _merge_runs,
    "time_runs": _time_runs,
    "count_above": lambda a: (a.column(), a.float_()),
    "ewma": lambda a: (a.column(), a.float_(), a.decimals()),
    "lagged_means": lambda a: (a.column(), a.column(), a.whole(20)),
    "mean_distance": lambda a: (a.column(), a.float_(), a.float_()),
    "moving_average": lambda a: (a.column(), a.whole(), a.decimals()),
    "rolling_columns": lambda a: (a.source(), a.whole()),
}


def _squares(a):
    return a.float_() if a.odd() else abs(a.rng.gauss(0, 9))


def _moments_state(a):
    mean, low, *others = [a.float_() for _ in range(6)]
    return (
        a.whole(),
        mean,
        low,
        _squares(a),
        *others,
        bytes(a.rng.choice([0, 8, 80, 9, 4088, 4096, 8000])),
    )


def _buckets_state(a):
    filling = (a.whole(9), a.whole(9), *(a.float_() for _ in range(4)))
    columns = tuple(a.numbers(a.rng.choice([2, 2, 2, 3])) for _ in range(a.rng.randint(0, 3)))
    return filling, a.numbers(a.rng.randint(0, 9)), columns


def _sliding_state(a):
    length = a.rng.randint(0, 20)
    times = array("q", range(length + a.odd(0.1)))
    return a.numbers(length), times, a.whole(20)


def _accumulator_state(a):
    detector = (a.whole(), a.float_(), _squares(a))
    return a.whole(2000), a.numbers(), detector, array("q", range(3))


def _odd_state(state):
    """A state, one of wrong length, or none."""

    def draw(a):
        drawn = state(a)
        return a.rng.choice([drawn] * 8 + [drawn[1:], (), None, (*drawn, 1)])

    return draw


def _made_moments(core_, a):
    return core_.BlockMoments(a.source(), nan_policy=a.policy())


def _made_buckets(core_, a):
    options = {"decimals": a.decimals(), "nan_policy": a.policy()}
    return core_.Buckets(a.whole(), a.functions(), **options)


def _made_sliding(core_, a):
    return core_.SlidingMoments(**a.rng.choice([{"size": a.whole()}, {"duration_us": a.whole()}]))


def _made_accumulator(core_, a):
    buckets = [core_.Buckets(a.rng.randint(1, 70), ("mean", "median", "last")) for _ in range(2)]
    return core_.Accumulator(
        buckets if not a.odd() else a.rng.choice([buckets * 9, [3], None]),
        nan_policy=a.policy(),
        retains=a.flag(),
        candidate_threshold=a.rng.choice([None, 0.0, 2.0, a.float_()]),
        threshold=a.rng.choice([None, 2.0, a.float_()]),
        warmup=a.whole(),
    )


def _method(name, *draw):
    return lambda core_, it, a: getattr(it, name)(*(one(a) for one in draw))


def _function(name, *draw):
    return lambda core_, it, a: getattr(core_, name)(it, *(one(a) for one in draw))


_instant, _source = Arguments.instant, Arguments.source
CLASSES: dict[str, tuple[Any, list[Any], Callable[[Any, Any], Any]]] = {
    "BlockMoments": (
        _made_moments,
        [
            _method("push", Arguments.float_),
            _method("push_many", _source),
            _method("variance", Arguments.whole),
            _method("summary"),
            lambda core_, it, a: it.merge(core_.BlockMoments(a.numbers())),
            _method("merge", lambda a: None),
            _function("restore_moments", _odd_state(_moments_state)),
            _function("finish_moments"),
            _method("reset"),
        ],
        lambda core_, it: (core_.moments_state(it), it.count, it.first, it.last, it.std()),
    ),
    "Buckets": (
        _made_buckets,
        [
            _method("push_many", _source),
            _method("push_many", _source),
            _method("current"),
            _method("drain"),
            lambda core_, it, a: it.merge(it),
            _method("merge", lambda a: 3),
            _method("restore", _odd_state(_buckets_state)),
            _method("reset"),
        ],
        lambda core_, it: (it.state(), it.n_filling, it.factor, it.functions, it.decimals),
    ),
    "SlidingMoments": (
        _made_sliding,
        [
            _method("push", Arguments.float_, _instant),
            _method("push_many", _source, lambda a: None if a.flag() else a.times()),
            _method("expire", _instant),
            _function("restore_sliding", _odd_state(_sliding_state)),
            _method("reset"),
        ],
        lambda core_, it: (core_.sliding_state(it), it.summary(), it.count, it.size),
    ),
    "Accumulator": (
        _made_accumulator,
        [
            _method("push", Arguments.float_),
            _method("push_many", _source),
            _method("push_many", _source),
            _function("anomalies_of", *[Arguments.float_] * 3, _source),
            _function("take_anomalies"),
            _function("restore_accumulator", _odd_state(_accumulator_state)),
            _method("reset"),
        ],
        lambda core_, it: (core_.accumulator_state(it), it.n_seen),
    ),
}


def bits(answer: Any) -> Any:
    """An answer with every float as its bytes, NaN without its payload."""
    if isinstance(answer, float):
        return struct.pack("<d", answer) if answer == answer else "nan"
    if isinstance(answer, array | list | tuple):
        return [bits(part) for part in answer]
    if type(answer).__module__.startswith("aetherops"):
        return type(answer).__name__
    return answer


def outcome(call: Callable[..., Any], *arguments: Any) -> Any:
    """What a call returns, in bits, or the type and the words of what it raises."""
    try:
        return bits(call(*arguments))
    except Exception as error:
        return type(error), str(error)


def seeds(share: float) -> Iterator[int]:
    """So many rounds, or as many as fit this test's share of the time given."""
    end = time.monotonic() + SECONDS * share
    seed = 0
    while seed < N_ROUNDS or time.monotonic() < end:
        yield seed
        seed += 1


@pytest.mark.timeout(120 + SECONDS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_anything(cores, name):
    for seed in seeds(0.5 / len(FUNCTIONS)):
        answers = [
            outcome(getattr(twin, name), *FUNCTIONS[name](Arguments(seed))) for twin in cores
        ]
        assert answers[0] == answers[1], f"seed {seed}"


@pytest.mark.timeout(120 + SECONDS)
@pytest.mark.parametrize("name", CLASSES)
def test_an_object_takes_anything(cores, name):
    make, calls, look = CLASSES[name]
    for seed in seeds(0.5 / len(CLASSES)):
        made = [outcome(make, twin, Arguments(seed)) for twin in cores]
        assert made[0] == made[1], f"seed {seed}"
        if made[0] != name:
            continue
        both = [make(twin, Arguments(seed)) for twin in cores]
        order = Arguments(seed).rng
        for step in range(order.randint(1, 12)):
            call = order.choice(calls)
            answers = [
                outcome(call, twin, it, Arguments(seed * 100 + step))
                for twin, it in zip(cores, both, strict=True)
            ]
            assert answers[0] == answers[1], f"seed {seed}, step {step}"
            looks = [outcome(look, twin, it) for twin, it in zip(cores, both, strict=True)]
            assert looks[0] == looks[1], f"seed {seed}, step {step}"
