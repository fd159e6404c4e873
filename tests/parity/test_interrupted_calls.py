"""A signal handler that raises cuts a call of either twin short, and leaves it fit for use."""

from __future__ import annotations

import math
import random
import signal
from array import array

import pytest

pytestmark = [
    # The alarm is the tests' own here: the plugin that ends tests must not set it.
    pytest.mark.timeout(120, method="thread"),
    # A handler may also strike where other tools look on, as hypothesis does at each collection.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

FUNCTIONS = ("mean", "median", "min", "max", "last")
VALUES = [math.sin(i) * 100 for i in range(2_600)]
COLUMN = array("d", VALUES)
TIMES = array("q", range(len(VALUES)))
N_CALLS = 250


class CutShortError(Exception):
    """What the handler raises."""


def under_fire(call, delay_s):
    """Everything that the handler raises is raised in here."""
    signal.setitimer(signal.ITIMER_REAL, delay_s)
    call()
    signal.setitimer(signal.ITIMER_REAL, 0)


@pytest.fixture
def interrupted():
    """Makes calls that a handler may cut short; how many of them were."""

    def handle(number, frame):
        while frame is not None:
            if frame.f_code is under_fire.__code__:
                raise CutShortError
            frame = frame.f_back

    def run(call, rng):
        try:
            under_fire(call, 10.0 ** rng.uniform(-6, -2.7))
        except CutShortError:
            return True
        return False

    before = signal.signal(signal.SIGALRM, handle)
    yield run
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def moments(core):
    one = core.BlockMoments()
    calls = [
        lambda: one.push_many(VALUES),
        lambda: one.push_many(iter(VALUES)),
        lambda: one.push_many(COLUMN),
        lambda: [one.push(v) for v in VALUES],
        lambda: one.merge(core.BlockMoments(VALUES[:700])),
        one.summary,
    ]
    return one, calls, lambda: core.BlockMoments(), core.moments_state, core.restore_moments


def buckets(core):
    def make():
        return core.Buckets(7, FUNCTIONS)

    one = make()
    calls = [
        lambda: one.push_many(VALUES),
        lambda: one.push_many(iter(VALUES)),
        lambda: one.push_many(COLUMN),
        lambda: one.merge(one),
        one.current,
        one.drain,
    ]
    return one, calls, make, lambda it: it.state(), lambda it, state: it.restore(state)


def sliding(core):
    def make():
        return core.SlidingMoments(size=60)

    one = make()
    calls = [
        lambda: one.push_many(VALUES),
        lambda: one.push_many(iter(VALUES)),
        lambda: [one.push(v) for v in VALUES],
        one.values,
    ]
    return one, calls, make, core.sliding_state, core.restore_sliding


def sliding_by_time(core):
    def make():
        return core.SlidingMoments(duration_us=60)

    one = make()

    def push_many():
        one.reset()
        one.push_many(VALUES, TIMES)

    return one, [push_many, one.summary], make, core.sliding_state, core.restore_sliding


def accumulator(core):
    def make():
        many = [core.Buckets(factor, FUNCTIONS) for factor in (3, 700)]
        return core.Accumulator(many, nan_policy="propagate", retains=True, threshold=3.0)

    def state(it):
        inner, many = core.parts_of(it)
        states = core.moments_state(inner), [bucket.state() for bucket in many]
        return *states, core.accumulator_state(it)

    def restore(it, state):
        inner, many = core.parts_of(it)
        core.restore_moments(inner, state[0])
        for bucket, its_state in zip(many, state[1], strict=True):
            bucket.restore(its_state)
        core.restore_accumulator(it, state[2])

    one = make()
    calls = [
        lambda: one.push_many(VALUES),
        lambda: one.push_many(iter(VALUES)),
        lambda: [one.push(v) for v in VALUES],
        lambda: core.anomalies_of(one, 0.0, 1.0, 3.0),
        lambda: core.take_anomalies(one),
        lambda: core.parts_of(one)[1][0].drain(),
    ]
    return one, calls, make, state, restore


@pytest.mark.parametrize("twin", [0, 1], ids=["compiled", "pure"])
@pytest.mark.parametrize("kind", [moments, buckets, sliding, sliding_by_time, accumulator])
def test_an_interrupted_object_goes_on(cores, compare, interrupted, kind, twin):
    one, calls, make, state, restore = kind(cores[twin])
    rng = random.Random(7)
    n_cut_short = 0
    for number in range(N_CALLS):
        n_cut_short += interrupted(rng.choice(calls), rng)
        copy = make()
        restore(copy, state(one))
        assert compare.bits(state(copy)) == compare.bits(state(one))
        if number % 10 == 0:
            one.reset()
    assert n_cut_short
    one.reset()
    untouched = make()
    for it in (one, untouched):
        it.push_many(VALUES, *([TIMES] if kind is sliding_by_time else []))
    assert compare.bits(state(one)) == compare.bits(state(untouched))


def test_an_interrupted_function_answers_the_next_call(cores, compare, interrupted):
    offsets = array("q", range(0, len(VALUES), 13))
    for core in cores:
        summaries = core.summarize_runs(COLUMN, offsets)
        rows = array("q", [0, 50, 199])
        calls = [
            lambda core=core: core.rolling_columns(VALUES, 50),
            lambda core=core: core.rolling_columns(iter(VALUES), 50),
            lambda core=core: core.find_anomalies(iter(VALUES), 0.0, 50.0, 1.0),
            lambda core=core: core.round_all(iter(VALUES), 3),
            lambda core=core: core.summarize_runs(COLUMN, offsets),
            lambda core=core: core.median_runs(COLUMN, offsets),
            lambda core=core: core.without_nan(COLUMN, offsets),
            lambda core=core, given=(*summaries, rows): core.merge_runs(*given),
            lambda core=core: core.time_runs(TIMES, 7, 0, 0, 2_600, True, 10_000),
            lambda core=core: core.moving_average(COLUMN, 20, 4),
            lambda core=core: core.ewma(COLUMN, 0.5, 4),
            lambda core=core: core.lagged_means(COLUMN, COLUMN, 3),
            lambda core=core: core.mean_distance(COLUMN, 1.0, 2.0),
            lambda core=core: core.count_above(COLUMN, 1.0),
            lambda core=core: core.largest_triangles(None, COLUMN, 50),
            lambda core=core: core.extreme_points(COLUMN, 50),
        ]
        rng = random.Random(7)
        for call in calls:
            expected = compare.bits(call())
            for _ in range(12):
                interrupted(call, rng)
            assert compare.bits(call()) == expected
