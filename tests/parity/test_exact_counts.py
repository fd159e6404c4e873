"""Nothing is counted beyond 2**53, where doubles tell counts apart no longer: both twins refuse."""

from __future__ import annotations

import math
from array import array
from itertools import repeat
from types import SimpleNamespace
from typing import Any

import pytest

from aetherops.errors import InvalidInputError
from aetherops.telemetry import Moments, StreamingAggregator

MOST = 2**53
NAN = math.nan


def moments_of(core: SimpleNamespace, count: int, nan_policy: str = "propagate") -> Any:
    """Moments that have counted so many values."""
    moments = core.BlockMoments(nan_policy=nan_policy)
    core.restore_moments(moments, (count, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, b""))
    return moments


def accumulator_of(core: SimpleNamespace, n_seen: int, **options: Any) -> Any:
    """An accumulator that has seen so many values."""
    options = {"nan_policy": "propagate", **options}
    accumulator = core.Accumulator([core.Buckets(2)], **options)
    core.restore_moments(
        core.parts_of(accumulator)[0], core.moments_state(moments_of(core, n_seen))
    )
    core.restore_accumulator(accumulator, (n_seen, array("d"), (0, 0.0, 0.0), array("q")))
    return accumulator


@pytest.mark.parametrize("kind", [list, lambda values: array("d", values), iter])
@pytest.mark.parametrize("nan_policy", ["propagate", "omit", "raise"])
@pytest.mark.parametrize("length", [1, 3, 511, 512, 513, 2100, 9000])
@pytest.mark.parametrize("room", [0, 1, 2, 600, 2048])
def test_values_are_taken_up_to_the_bound(cores, compare, kind, nan_policy, length, room):
    values = [NAN if i % 7 == 5 and nan_policy == "omit" else float(i) for i in range(length)]
    if nan_policy == "raise":
        values[-1] = NAN
    answers = []
    for core in cores:
        moments = moments_of(core, MOST - room, nan_policy)
        refusal = compare.outcome(moments.push_many, kind(values))
        one_by_one = moments_of(core, MOST - room, nan_policy)
        refusals = [compare.outcome(one_by_one.push, x) for x in values]
        assert refusal == next(filter(None, refusals), None) or nan_policy == "raise"
        assert moments.count <= MOST
        assert compare.bits(moments.summary()) == compare.bits(one_by_one.summary())
        answers.append((refusal, compare.bits(core.moments_state(moments))))
    assert answers[0] == answers[1]


def test_the_bound_itself_is_counted(cores):
    for core in cores:
        moments = moments_of(core, MOST - 1)
        moments.push(2.0)
        assert moments.count == MOST
        with pytest.raises(InvalidInputError, match=r"count: expected 2\*\*53 values at most"):
            moments.push(3.0)
        assert moments.last == 2.0


def test_moments_that_would_count_too_many_are_not_merged(cores, compare):
    answers = []
    for core in cores:
        moments = moments_of(core, MOST)
        before = compare.bits(core.moments_state(moments))
        for other in (moments_of(core, 1), moments, core.BlockMoments([5.0])):
            answers.append(compare.outcome(moments.merge, other))
            with pytest.raises(InvalidInputError, match="count"):
                moments.merge(other)
        assert compare.bits(core.moments_state(moments)) == before
        moments.merge(core.BlockMoments())
        assert moments.count == MOST
    assert answers[:3] == answers[3:]


def test_what_was_refused_leaves_moments_that_can_be_kept():
    moments = Moments.from_summary(MOST, 1.0, 0.0, 1.0, 1.0, 1.0, 1.0)
    with pytest.raises(InvalidInputError):
        moments.merge(moments.copy())
    assert Moments.from_bytes(moments.to_bytes()) == moments.copy()


@pytest.mark.parametrize("options", [{}, {"nan_policy": "raise"}, {"threshold": 2.0}])
@pytest.mark.parametrize("length", [1, 3, 600, 9000])
@pytest.mark.parametrize("room", [0, 1, 2, 520])
def test_an_accumulator_takes_values_up_to_the_bound(cores, compare, options, length, room):
    values = [float(i % 10) for i in range(length)]
    answers = []
    for core in cores:
        whole, one_by_one = (accumulator_of(core, MOST - room, **options) for _ in range(2))
        refusal = compare.outcome(whole.push_many, values)
        refusals = [compare.outcome(one_by_one.push, x) for x in values]
        assert [one for one in (refusal,) if isinstance(one, tuple)] == [
            one for one in refusals if isinstance(one, tuple)
        ][:1]
        for accumulator in (whole, one_by_one):
            moments, buckets = core.parts_of(accumulator)
            parts = core.moments_state(moments), buckets[0].state()
            answers.append(compare.bits((*parts, *core.accumulator_state(accumulator))))
    assert all(answer == answers[0] for answer in answers)


def test_aggregators_that_have_seen_too_much_are_not_merged():
    aggregator = StreamingAggregator(2, nan_policy="omit", anomaly_threshold=None)
    aggregator.push_many([1.0, NAN, 3.0])
    data = aggregator.to_bytes().replace(b'"n_seen": 3', b'"n_seen": %d' % (MOST - 2))
    grown = 4 + 4 + int.from_bytes(data[4:8], "little") + len(str(MOST - 2)) - 1 - 8
    aggregator = StreamingAggregator.from_bytes(data[:4] + grown.to_bytes(4, "little") + data[8:])
    before = aggregator.to_bytes()
    with pytest.raises(InvalidInputError, match="count"):
        aggregator.merge(aggregator.copy())
    assert aggregator.to_bytes() == before


def test_a_state_that_has_counted_more_than_it_has_seen_is_refused(cores, compare):
    answers = []
    for core in cores:
        accumulator = accumulator_of(core, 10)
        states = [(n_seen, (), (0, 0.0, 0.0), ()) for n_seen in (9, MOST + 1)]
        answers.append([compare.outcome(core.restore_accumulator, accumulator, s) for s in states])
        assert all(kind is InvalidInputError for kind, _ in answers[-1])
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "counts", [[MOST, 1], [MOST, MOST], [2**62, 2**62], [-1], [3, -1], [MOST - 1, 1], [MOST + 1]]
)
def test_runs_of_summaries_that_count_too_many_are_refused(cores, compare, counts):
    column = array("d", repeat(1.0, len(counts)))
    rows = array("q", counts), *repeat(column, 6)
    native, pure = (
        compare.outcome(core.merge_runs, *rows, array("q", [0, len(counts)])) for core in cores
    )
    assert native == pure
    assert (native[0] is InvalidInputError) == (min(counts) < 0 or sum(counts) > MOST)
