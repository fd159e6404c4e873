"""Both twins of the aggregator's kernels give the same bits, and any cut of the input does too."""

from __future__ import annotations

import math
from array import array
from fractions import Fraction

import pytest

POLICIES = ["propagate", "omit", "raise"]
FUNCTIONS = ["mean", "median", "min", "max", "last"]
FACTORS = [1, 2, 3, 7, 8, 10, 16, 33, 64, 65, 100, 600, 5000]
SOURCES = [list, tuple, iter, lambda values: array("d", values), lambda values: array("d", values)]


def test_moments(streams, twins, compare):
    modules = twins("aggregation.moments")
    kinds = [module.BlockMoments for module in modules]

    def states(both):
        return [compare.bits(one.moments_state(it)) for one, it in zip(modules, both, strict=True)]

    for rng, values in streams:
        policy = rng.choice(POLICIES)
        whole = [kind(nan_policy=policy) for kind in kinds]
        cut = [kind(nan_policy=policy) for kind in kinds]
        cuts = list(compare.cuts(rng, values))
        assert compare.outcome(whole[0].push_many, values) == compare.outcome(
            whole[1].push_many, array("d", values)
        )
        for part in cuts:
            source = rng.choice(SOURCES)
            pushed = [compare.outcome(one.push_many, source(part)) for one in cut]
            assert pushed[0] == pushed[1]
            assert states(cut)[0] == states(cut)[1]
            if pushed[0] is not None:
                break
        if policy != "raise":
            assert states(cut)[0] == states(whole)[1]
        for one, other in zip(whole, cut, strict=True):
            one.merge(other)
        assert states(whole)[0] == states(whole)[1]
        assert compare.bits(whole[0].summary()) == compare.bits(whole[1].summary())
        for ddof in range(3):
            assert compare.bits(whole[0].std(ddof)) == compare.bits(whole[1].std(ddof))


def test_buckets(streams, twins, compare):
    kinds = [module.Buckets for module in twins("aggregation.buckets")]
    for rng, values in streams:
        functions = rng.sample(FUNCTIONS, rng.randint(1, 5))
        arguments = {
            "factor": rng.choice(FACTORS),
            "functions": functions,
            "decimals": rng.choice([None, 0, 2, 4, 15]),
            "nan_policy": rng.choice(POLICIES),
        }
        both = [kind(**arguments) for kind in kinds]
        for part in compare.cuts(rng, values):
            source = rng.choice(SOURCES)
            pushed = [compare.outcome(one.push_many, source(part)) for one in both]
            assert pushed[0] == pushed[1]
            assert both[0].n_filling == both[1].n_filling
            assert compare.bits(both[0].current()) == compare.bits(both[1].current())
            if rng.random() < 0.1:
                assert compare.bits(both[0].drain()) == compare.bits(both[1].drain())
        assert compare.bits(both[0].completed()) == compare.bits(both[1].completed())
        assert compare.bits(both[0].state()) == compare.bits(both[1].state())
        revived = kinds[0](**arguments)
        revived.restore(both[1].state())  # state is exchanged between the twins
        assert compare.bits(revived.state()) == compare.bits(both[0].state())
        for one in both:
            one.merge(one)
        assert compare.bits(both[0].state()) == compare.bits(both[1].state())


def test_rounding_is_that_of_python(streams, twins, compare):
    native, pure = twins("aggregation.rounding")
    for rng, values in streams:
        decimals = rng.choice([None, *range(16)])
        ties = [v / 2 * 10.0**-decimals for v in range(-9, 9)] if decimals else []
        hard = [*values, *ties, 2.0**39, 2.0**53 / 10**4, math.nextafter(2.0**39, 0)]
        assert compare.bits(native.round_all(hard, decimals)) == compare.bits(
            pure.round_all(hard, decimals)
        )


def test_anomalies(streams, twins, compare):
    native, pure = twins("aggregation.anomalies")
    for rng, values in streams:
        arguments = (
            rng.choice([0.0, 1.0, 100.0, -3.0, 1e9, math.nan, math.inf, rng.gauss(0, 50)]),
            rng.choice([1.0, 0.001, 10.0, 5e-324, 1e300, 0.0, -0.0, math.nan, math.inf]),
            rng.choice([0.0, 1.0, 2.0, 3.0, 1e-300, 1e300, -1.0, math.nan, math.inf]),
        )
        inclusive = rng.random() < 0.5
        found = native.find_anomalies(values, *arguments, inclusive=inclusive)
        assert found == pure.find_anomalies(values, *arguments, inclusive=inclusive)


def test_anomaly_cutoffs_are_exact_to_the_last_double(twins, compare):
    native, pure = twins("aggregation.anomalies")
    for mean, std, threshold in [
        (-3.0, 1.0, 3.0),
        (0.1, 0.3, 2.0),
        (1e9, 1e-3, 2.5),
        (28.0, 36.0, 2),
    ]:
        for sign in (-1, 1):
            edge = mean + sign * threshold * std
            near = [edge]
            for direction in (-math.inf, math.inf):
                x = edge
                near.extend(x := math.nextafter(x, direction) for _ in range(60))
            near.extend(edge + sign * 2.0**-k for k in range(45, 70))
            for inclusive in (False, True):
                answers = [
                    twin.find_anomalies(near, mean, std, threshold, inclusive=inclusive)
                    for twin in (native, pure)
                ]
                assert answers[0] == answers[1]


def test_time_runs_and_summaries(streams, twins, compare):
    native, pure = twins("aggregation.runs")
    for rng, values in streams:
        times = array("q", sorted(rng.randrange(-50_000, 50_000) for _ in values))
        if rng.random() < 0.1:
            rng.shuffle(times)
        arguments = (
            rng.choice([1, 7, 1000, 50_000, 10**7]),
            rng.choice([0, 13, -(10**9)]),
            rng.randrange(-60_000, 60_000),
            rng.randrange(-60_000, 60_000),
            rng.random() < 0.5,
            rng.choice([10, 10**6]),
        )
        runs = [compare.outcome(twin.time_runs, times, *arguments) for twin in (native, pure)]
        assert runs[0] == runs[1]
        if not isinstance(runs[0], list):
            continue
        _, offsets = pure.time_runs(times, *arguments)
        column = array("d", values)
        for name in ("without_nan", "summarize_runs", "median_runs"):
            answers = [getattr(twin, name)(column, offsets) for twin in (native, pure)]
            assert compare.bits(answers[0]) == compare.bits(answers[1])
        summaries = pure.summarize_runs(column, offsets)
        groups = array("q", sorted(rng.randrange(len(offsets)) for _ in range(5)))
        merged = [twin.merge_runs(*summaries, groups) for twin in (native, pure)]
        assert compare.bits(merged[0]) == compare.bits(merged[1])


def test_series(streams, twins, compare):
    native, pure = twins("aggregation.series")
    for rng, values in streams:
        x, y = array("d", values), array("d", values[: rng.randrange(len(values) + 1)])
        window, decimals = rng.choice([1, 2, 15, 16, 17, 200]), rng.choice([None, 0, 4])
        calls = [
            ("moving_average", x, window, decimals),
            ("ewma", x, rng.random(), decimals),
            ("lagged_means", x, y, rng.choice([0, 1, 5, 8, 9, 20])),
            ("mean_distance", x, rng.gauss(0, 1), rng.choice([1.0, 0.3])),
            ("count_above", x, rng.gauss(0, 1)),
        ]
        for name, *arguments in calls:
            answers = [getattr(twin, name)(*arguments) for twin in (native, pure)]
            assert _without_nan_payload(compare.bits(answers[0])) == _without_nan_payload(
                compare.bits(answers[1])
            ), name


def test_points_for_plots(streams, twins, compare):
    native, pure = twins("aggregation.plotting")
    for rng, values in streams:
        if len(values) < 5:
            continue
        y = array("d", values)
        x = array("d", sorted(rng.uniform(0, 1e6) for _ in values))
        x = rng.choice([x, None])
        n_out = rng.randrange(3, len(values))
        assert native.largest_triangles(x, y, n_out) == pure.largest_triangles(x, y, n_out)
        n_buckets = rng.randrange(1, len(values))
        assert native.extreme_points(y, n_buckets) == pure.extreme_points(y, n_buckets)


def test_sliding_moments(streams, twins, compare):
    modules = twins("aggregation.sliding")
    kinds = [module.SlidingMoments for module in modules]
    for rng, values in streams:
        by_size = rng.random() < 0.5
        limit = rng.choice([1, 2, 3, 10, 100])
        arguments = {"size": limit} if by_size else {"duration_us": limit}
        both = [kind(**arguments) for kind in kinds]
        time_us = 0
        for x in values[:400]:
            time_us += rng.randrange(-1, 20)
            pushed = [compare.outcome(one.push, x, time_us) for one in both]
            assert pushed[0] == pushed[1]
            assert compare.bits(both[0].summary()) == compare.bits(both[1].summary())
            if rng.random() < 0.05:
                states = [one.sliding_state(it) for one, it in zip(modules, both, strict=True)]
                assert compare.bits(states[0]) == compare.bits(states[1])
                modules[0].restore_sliding(both[0], states[1])
        if by_size:
            rolled = [module.rolling_columns(values, limit) for module in modules]
            assert compare.bits(rolled[0]) == compare.bits(rolled[1])


def test_accumulator(streams, twins, compare):
    modules = twins("aggregation.accumulator")
    accumulators = [module.Accumulator for module in modules]
    native, pure = twins("aggregation.moments")
    kinds = [module.Buckets for module in twins("aggregation.buckets")]
    for rng, values in streams:
        policy = rng.choice(POLICIES)
        online = rng.random() < 0.5
        arguments = {
            "nan_policy": policy,
            "retains": not online and rng.random() < 0.5,
            "threshold": rng.choice([0.0, 1.0, 3.0]) if online else None,
            "candidate_threshold": rng.choice([None, 0.0, 2.0, 3.0]),
            "warmup": rng.choice([2, 30]),
        }
        factors = rng.sample(FACTORS, 2)
        both = [
            accumulator([kind(factor, FUNCTIONS) for factor in factors], **arguments)
            for accumulator, kind in zip(accumulators, kinds, strict=True)
        ]
        taken: list[float] = []
        for part in compare.cuts(rng, values):
            calls = ("push", part[0]) if len(part) == 1 else ("push_many", part)
            pushed = [compare.outcome(getattr(one, calls[0]), calls[1]) for one in both]
            assert pushed[0] == pushed[1]
            taken += part
            if isinstance(pushed[0], tuple):
                break
        else:
            wanted = (rng.gauss(0, 10), rng.choice([1.0, 10.0]), rng.choice([2.0, 3.0]))
            found = [
                one.anomalies_of(it, *wanted, taken) for one, it in zip(modules, both, strict=True)
            ]
            assert found[0] == found[1]
        states = [one.accumulator_state(it) for one, it in zip(modules, both, strict=True)]
        assert compare.bits(states[0]) == compare.bits(states[1])
        parts = [one.parts_of(it) for one, it in zip(modules, both, strict=True)]
        for one, other in zip(parts[0][1], parts[1][1], strict=True):
            assert compare.bits(one.state()) == compare.bits(other.state())
        assert compare.bits(native.moments_state(parts[0][0])) == compare.bits(
            pure.moments_state(parts[1][0])
        )
        found = [one.take_anomalies(it) for one, it in zip(modules, both, strict=True)]
        assert found[0] == found[1]


@pytest.mark.parametrize(
    "bad",
    ["x", "12", None, [1, "a"], [1.0, None], 5, [10**400], [[1.0]], object(), {"a": 1}, b"ab", 1j],
    ids=lambda bad: repr(bad).partition(" at 0x")[0],  # the same name in every process
)
def test_bad_input_is_refused_in_the_same_words(bad, twins, compare):
    moments = [module.BlockMoments for module in twins("aggregation.moments")]
    for name in ("push", "push_many", "merge"):
        both = [kind() for kind in moments]
        outcomes = [compare.outcome(getattr(one, name), bad) for one in both]
        assert outcomes[0] == outcomes[1]
        assert both[0].count == both[1].count
    buckets = [module.Buckets for module in twins("aggregation.buckets")]
    for argument in ("factor", "functions", "decimals", "nan_policy"):
        outcomes = [compare.outcome(kind, **{"factor": 3, argument: bad}) for kind in buckets]
        if isinstance(outcomes[1], tuple):
            assert outcomes[0] == outcomes[1]
        else:
            assert [type(one) for one in outcomes] == buckets


@pytest.mark.parametrize("value", [True, 7, Fraction(1, 3), array("f", [0.1])[0]], ids=repr)
def test_every_kind_of_number_is_read_alike(value, twins, compare):
    states = []
    for module in twins("aggregation.moments"):
        moments = module.BlockMoments()
        moments.push(value)
        moments.push_many([value, value])
        moments.push_many(iter([value]))
        states.append(compare.bits(module.moments_state(moments)))
    assert states[0] == states[1]


def _without_nan_payload(answer):
    """Sums of several NaN keep the payload of either; which one is left to the processor."""
    if not isinstance(answer, bytes):
        return answer
    return ["nan" if v != v else v.hex() for v in array("d", answer)]
