"""The streaming aggregator: one pass, any cut, the same bits; what it tells and what it forgets."""

from __future__ import annotations

import copy
import math
import pickle
import random
import threading
from array import array
from collections import Counter

import pytest
from hypothesis import given, settings, strategies as st

from aetherops import core
from aetherops.errors import InvalidInputError
from aetherops.telemetry import (
    Moments,
    StreamingAggregator,
    WindowSummary,
    detect_drift,
    downsample,
    summarize,
)

FUNCTIONS = ("mean", "median", "min", "max", "last")


def noise(count, seed=1):
    rng = random.Random(seed)
    return [rng.gauss(100, 5) for _ in range(count)]


def same(a, b):
    """Equal answers, NaN included."""
    return repr(plain(a)) == repr(plain(b))


def plain(summary):
    buckets = {
        factor: {name: column.tolist() for name, column in columns.items()}
        for factor, columns in summary.buckets.items()
    }
    return [*summary[:8], buckets, summary.anomaly_indices.tolist()]


def test_a_snapshot_tells_everything_about_the_window():
    values = [3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 60.0]
    aggregator = StreamingAggregator(3, FUNCTIONS)
    aggregator.push_many(values)
    summary = aggregator.snapshot()
    moments = Moments(values)
    assert summary[:8] == (
        *(8, moments.mean, moments.variance(), moments.std()),
        *(1.0, 60.0, 3.0, 60.0),
    )
    for function in FUNCTIONS:
        column = summary.downsampled[function].tolist()
        assert column == downsample(values, 3, function=function)
    assert summary.anomaly_indices.tolist() == detect_drift(values) == [7]


def test_several_factors_are_filled_in_one_pass():
    values = noise(1000)
    aggregator = StreamingAggregator([10, 64, 300], ("max", "mean"))
    aggregator.push_many(values)
    summary = aggregator.snapshot()
    assert list(summary.buckets) == [10, 64, 300]
    for factor, columns in summary.buckets.items():
        for function, column in columns.items():
            assert column.tolist() == downsample(values, factor, function=function)


@settings(max_examples=40)
@given(
    st.lists(st.floats(), max_size=700),
    st.lists(st.integers(1, 300), max_size=20),
    st.sampled_from(["propagate", "omit"]),
    st.sampled_from(["window", "online"]),
)
def test_every_cut_and_every_kind_of_source_gives_the_same_bits(values, cuts, policy, mode):
    whole = StreamingAggregator([3, 64], FUNCTIONS, nan_policy=policy, mode=mode)
    cut = StreamingAggregator([3, 64], FUNCTIONS, nan_policy=policy, mode=mode)
    whole.push_many(values)
    start = 0
    for number, length in enumerate(cuts):
        part = values[start : start + length]
        source = (list, tuple, iter, lambda v: array("d", v))[number % 4]
        cut.push_many(source(part))
        start += length
    for x in values[start:]:
        cut.push(x)
    assert whole.to_bytes() == cut.to_bytes()
    assert same(whole.snapshot(), cut.snapshot())


def test_asking_changes_nothing():
    values = noise(777)
    asked, left_alone = StreamingAggregator(10), StreamingAggregator(10)
    for x in values:
        asked.push(x)
        left_alone.push(x)
        asked.snapshot()
    assert asked.to_bytes() == left_alone.to_bytes()


def test_summarize_answers_as_the_aggregator_does():
    for values in ([], [1.0], noise(3), noise(5000), [*noise(3000), 1e12], [math.nan, *noise(50)]):
        for source in (values, tuple(values), array("d", values), iter(values), set(values)):
            materialised = list(source) if isinstance(source, set) else values
            aggregator = StreamingAggregator(10, FUNCTIONS, anomaly_threshold=2.5)
            aggregator.push_many(materialised)
            summary = summarize(source, 10, FUNCTIONS, anomaly_threshold=2.5)
            assert same(summary, aggregator.snapshot())


# While values pass, the final mean and deviation are not known yet.
SURPRISES = {
    "steady": noise(20_000),
    "drifting": [i / 10 + math.sin(i) for i in range(20_000)],
    "narrowing": [v / (1 + i / 500) for i, v in enumerate(noise(10_000))],
    "constant, then one jump": [5.0] * 3_000 + [6.0] + [5.0] * 700,
    "an outlier at the end": [*noise(2_100), 1e6],
    "an outlier at the start": [1e6, *noise(2_100)],
    "ending with NaN": [*noise(2_100), math.nan, 1e6],
    "ending with an infinity": [*noise(4_000), math.inf],
    "beyond squares": [*noise(2_100), 1e200, *noise(2_100)],
}


@pytest.mark.parametrize("values", SURPRISES.values(), ids=SURPRISES)
@pytest.mark.parametrize("policy", ["propagate", "omit"])
@pytest.mark.parametrize("threshold", [0.0, 1.5, 3.0])
def test_every_value_is_judged_by_the_whole_window(values, policy, threshold):
    retained = StreamingAggregator(10, nan_policy=policy, anomaly_threshold=threshold)
    retained.push_many(values)
    expected = retained.snapshot().anomaly_indices.tolist()
    for source in (values, array("d", values)):
        summary = summarize(source, 10, nan_policy=policy, anomaly_threshold=threshold)
        assert summary.anomaly_indices.tolist() == expected
    if not any(math.isnan(v) for v in values):
        assert expected == detect_drift(values, threshold)


class TestDraining:
    def test_hands_out_completed_buckets_once(self):
        values = noise(95)
        aggregator = StreamingAggregator(10, anomaly_threshold=None)
        drained = []
        for start in range(0, 95, 19):
            aggregator.push_many(values[start : start + 19])
            drained += aggregator.drain().buckets[10]["mean"].tolist()
        assert drained == downsample(values[:90], 10)
        assert aggregator.snapshot().downsampled["mean"].tolist() == downsample(values[90:], 10)
        assert aggregator.snapshot().count == 95

    def test_leaves_the_moments(self):
        aggregator = StreamingAggregator(2)
        aggregator.push_many([1, 2, 3, 4])
        aggregator.drain()
        assert aggregator.snapshot().mean == 2.5


class TestOnlineMode:
    def test_judges_each_value_by_those_before_it(self):
        aggregator = StreamingAggregator(10, mode="online", warmup=4, anomaly_threshold=3.0)
        verdicts = [aggregator.push(x) for x in [1, 2, 1, 2, 1.5, 50, 1.5, 2]]
        assert verdicts == [False] * 5 + [True, False, False]
        assert aggregator.drain().anomaly_indices.tolist() == [5]
        assert aggregator.drain().anomaly_indices.tolist() == []

    def test_agrees_with_a_fresh_judgement_of_each_prefix(self):
        values = [round(x) for x in noise(300)]
        aggregator = StreamingAggregator(10, mode="online", warmup=30, anomaly_threshold=2.0)
        assert aggregator.push_many(values) == len(aggregator.snapshot().anomaly_indices)
        expected = []
        for i in range(30, len(values)):
            before = Moments(values[:i])
            if abs(values[i] - before.mean) / before.std() > 2.0:
                expected.append(i)
        assert aggregator.snapshot().anomaly_indices.tolist() == expected

    def test_is_silent_before_the_warm_up_ends(self):
        aggregator = StreamingAggregator(10, mode="online", warmup=5, anomaly_threshold=1.0)
        assert [aggregator.push(x) for x in [0, 1, 0, 1, 1e6]] == [False] * 5

    def test_does_not_learn_from_what_is_not_finite(self):
        aggregator = StreamingAggregator(10, mode="online", warmup=2, anomaly_threshold=3.0)
        verdicts = [aggregator.push(x) for x in [1.0, 2.0, math.inf, math.nan, 1.5, 40.0]]
        assert verdicts == [False, False, True, False, False, True]

    def test_retains_nothing(self):
        aggregator = StreamingAggregator(10, mode="online")
        aggregator.push_many(noise(10_000))
        aggregator.drain()
        assert len(aggregator.to_bytes()) < 8_000


class TestMerging:
    def test_is_one_pass_where_the_first_part_fills_its_buckets(self):
        values = noise(5_000)
        first, second = StreamingAggregator(10, FUNCTIONS), StreamingAggregator(10, FUNCTIONS)
        whole = StreamingAggregator(10, FUNCTIONS)
        first.push_many(values[:2_000])
        second.push_many(values[2_000:])
        whole.push_many(values)
        first.merge(second)
        merged, expected = first.snapshot(), whole.snapshot()
        assert plain(merged)[8:] == plain(expected)[8:]
        assert merged[:8] == pytest.approx(expected[:8], rel=1e-15)

    def test_closes_the_bucket_that_is_filling(self):
        first, second = StreamingAggregator(3), StreamingAggregator(3)
        first.push_many([1, 1, 1, 5])
        second.push_many([2, 2])
        first.merge(second)
        first.push(2)
        assert first.snapshot().downsampled["mean"].tolist() == [1.0, 5.0, 2.0]

    def test_counts_anomalies_from_the_first_value_of_all(self):
        first = StreamingAggregator(5, mode="online", warmup=3, anomaly_threshold=3.0)
        second = first.copy()
        for one in (first, second):
            one.push_many([1, 2, 1, 2, 99])
        first.merge(second)
        assert first.snapshot().anomaly_indices.tolist() == [4, 9]

    def test_refuses_another_kind(self):
        for other in (StreamingAggregator(3), StreamingAggregator(2, "max"), Moments()):
            with pytest.raises(InvalidInputError, match="the same arguments"):
                StreamingAggregator(2).merge(other)


class TestState:
    @pytest.mark.parametrize("mode", ["window", "online"])
    @pytest.mark.parametrize("count", [0, 1, 511, 3_000])
    def test_survives_bytes_pickle_and_copy(self, mode, count):
        arguments = {"mode": mode, "nan_policy": "omit", "anomaly_threshold": 2.5, "ddof": 0}
        aggregator = StreamingAggregator([10, 700], FUNCTIONS, decimals=None, **arguments)
        aggregator.push_many([*noise(count), math.nan, math.inf])
        for revived in (
            StreamingAggregator.from_bytes(aggregator.to_bytes()),
            pickle.loads(pickle.dumps(aggregator)),
            copy.copy(aggregator),
            copy.deepcopy(aggregator),
        ):
            assert revived.to_bytes() == aggregator.to_bytes()
            revived.push_many(noise(600))
            again = aggregator.copy()
            again.push_many(noise(600))
            assert same(revived.snapshot(), again.snapshot())
            assert same(revived.snapshot(), revived.copy().snapshot())

    def test_bytes_that_are_none_of_its_are_refused(self):
        aggregator = StreamingAggregator(10)
        aggregator.push_many(noise(100))
        whole = aggregator.to_bytes()
        for damage in (b"", b"AOa2" + whole[4:], whole[:-1], whole + b"x", whole[:30], b"AOa1"):
            with pytest.raises(InvalidInputError, match="data"):
                StreamingAggregator.from_bytes(damage)

    def test_a_reset_begins_anew(self):
        aggregator = StreamingAggregator(10, FUNCTIONS)
        aggregator.push_many(noise(1_000))
        aggregator.reset()
        assert aggregator.to_bytes() == StreamingAggregator(10, FUNCTIONS).to_bytes()

    def test_summaries_are_read_only_and_can_be_pickled(self):
        summary = summarize(noise(100), [10, 20], FUNCTIONS)
        with pytest.raises(AttributeError):
            summary.mean = 1.0
        with pytest.raises(TypeError):
            summary.downsampled["mean"][0] = 1.0
        with pytest.raises(TypeError):
            summary.buckets[10] = {}
        revived = pickle.loads(pickle.dumps(summary))
        assert isinstance(revived, WindowSummary)
        assert same(revived, summary)


class TestNan:
    VALUES = (1.0, math.nan, 3.0, 5.0, 7.0, 9.0)

    def test_propagates_into_its_bucket_and_the_moments(self):
        summary = summarize(self.VALUES, 3, FUNCTIONS)
        assert math.isnan(summary.mean)
        assert repr(summary.downsampled["mean"].tolist()) == "[nan, 7.0]"
        assert repr(summary.downsampled["last"].tolist()) == "[3.0, 9.0]"

    def test_is_omitted_but_keeps_its_place(self):
        summary = summarize(self.VALUES, 3, FUNCTIONS, nan_policy="omit")
        assert (summary.count, summary.mean) == (5, 5.0)
        assert summary.downsampled["mean"].tolist() == [2.0, 7.0]
        assert summary.downsampled["median"].tolist() == [2.0, 7.0]
        alone = summarize([math.nan] * 2 + [1.0], 2, FUNCTIONS, nan_policy="omit")
        for column in alone.downsampled.values():
            assert repr(column.tolist()) == "[nan, 1.0]"

    def test_is_refused_by_its_position(self):
        aggregator = StreamingAggregator(3, nan_policy="raise")
        with pytest.raises(InvalidInputError, match=r"values\[1\]"):
            aggregator.push_many(self.VALUES)
        with pytest.raises(InvalidInputError, match="x: expected a number"):
            aggregator.push(math.nan)
        assert aggregator.snapshot().count == 1

    def test_is_never_anomalous(self):
        values = [*noise(50), math.nan, 1e6]
        assert summarize(values, 5, nan_policy="omit").anomaly_indices.tolist() == [51]


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"factor": 0}, "factor"),
        ({"factor": []}, "factor"),
        ({"factor": [3, 3]}, "factor"),
        ({"factor": range(1, 18)}, "factors"),
        ({"functions": ()}, "functions"),
        ({"functions": ("mean", "mean")}, "functions"),
        ({"functions": "sum"}, "functions"),
        ({"decimals": 16}, "decimals"),
        ({"nan_policy": "drop"}, "nan_policy"),
        ({"anomaly_threshold": -1.0}, "anomaly_threshold"),
        ({"anomaly_threshold": math.nan}, "anomaly_threshold"),
        ({"anomaly_threshold": None, "mode": "online"}, "anomaly_threshold"),
        ({"mode": "offline"}, "mode"),
        ({"warmup": 1}, "warmup"),
        ({"ddof": -1}, "ddof"),
    ],
    ids=str,
)
def test_arguments_out_of_range_are_refused_by_name(arguments, field):
    with pytest.raises(InvalidInputError) as refusal:
        StreamingAggregator(**{"factor": 10} | arguments)
    assert refusal.value.field == field


@pytest.mark.parametrize("typecode", "fdiqB")
def test_a_window_of_any_array_is_that_of_its_numbers(typecode):
    numbers = array(typecode, [i % 7 for i in range(1000)] + [200])
    assert summarize(numbers, 10) == summarize(numbers.tolist(), 10)


@pytest.mark.skipif(core.IMPLEMENTATION == "pure", reason="the twins hold the interpreter lock")
def test_two_threads_cannot_push_into_one_aggregator_at_once():
    aggregator = StreamingAggregator(10, anomaly_threshold=None)
    values = array("d", noise(200_000))
    refusals = []

    def push():
        for _ in range(20):
            try:
                aggregator.push_many(values)
            except RuntimeError as error:
                refusals.append(str(error))

    threads = [threading.Thread(target=push) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert aggregator.n_seen == len(values) * (40 - len(refusals))
    assert set(refusals) <= {"another thread is pushing into this aggregator"}


@pytest.mark.skipif(core.IMPLEMENTATION == "pure", reason="the twins hold the interpreter lock")
def test_the_parts_are_out_of_reach_while_another_thread_pushes():
    aggregator = StreamingAggregator(10, anomaly_threshold=None)
    moments, (buckets,) = core.parts_of(aggregator)
    values = array("d", noise(2_000_000))
    refusals = Counter()
    pushing = threading.Thread(target=lambda: [aggregator.push_many(values) for _ in range(10)])
    pushing.start()
    while pushing.is_alive():
        for part, touch in ("moments", moments.summary), ("buckets", buckets.drain):
            try:
                touch()
            except RuntimeError as error:
                refusals[part] += part in str(error)
    pushing.join()
    assert refusals["moments"] > 0 < refusals["buckets"]
    assert moments.summary()[0] == aggregator.n_seen == 10 * len(values)


def test_a_number_that_pushes_while_it_is_read_is_harmless():
    aggregator = StreamingAggregator(2, anomaly_threshold=None)

    class Meddler:
        def __float__(self):
            if values:
                values.clear()
                aggregator.push_many([7.0] * 3_000)
            return 1.0

    values = [1.0, Meddler(), 2.0]
    aggregator.push_many(values)
    # Whether what was cleared meanwhile is still read is left open.
    assert aggregator.n_seen in (3_002, 3_003)
