"""Moments are exact to the digits that doubles can hold, and the same for every cut."""

from __future__ import annotations

import copy
import json
import math
import pickle
import random
from array import array
from fractions import Fraction

import pytest
from hypothesis import given, strategies as st

from aetherops.errors import InvalidInputError
from aetherops.telemetry import Moments

EPSILON = Fraction(1, 2**53)

finite = st.floats(allow_nan=False, allow_infinity=False, width=64)
moderate = st.floats(min_value=-1e12, max_value=1e12)


def exact(values):
    """Mean and squares about it, in rational arithmetic."""
    mean = sum(map(Fraction, values)) / len(values)
    return mean, sum((Fraction(v) - mean) ** 2 for v in values)


def relative_error(answer, truth):
    return abs((Fraction(answer) - truth) / truth) if truth else Fraction(answer != 0)


@pytest.mark.parametrize(
    ("offset", "spread"), [(0, 1), (100, 5), (1e9, 1), (1e12, 1e-3), (1e15, 1), (-1e6, 1e-9)]
)
@pytest.mark.parametrize("count", [2, 17, 1000, 5000])
def test_variance_is_right_to_a_few_units_in_the_last_place(offset, spread, count):
    rng = random.Random(count)
    values = [rng.gauss(offset, spread) for _ in range(count)]
    moments, (mean, m2) = Moments(values), exact(values)
    assert relative_error(moments.m2, m2) <= 8 * EPSILON
    largest = max(map(abs, values))
    assert abs(Fraction(moments.mean) - mean) <= EPSILON * Fraction(largest)


@pytest.mark.parametrize("scale", [5e-324, 1e-310, 1e-300])
def test_denormals_keep_their_mean(scale):
    values = [scale * k for k in range(1, 40)]
    mean = float(exact(values)[0])
    assert abs(Moments(values).mean - mean) <= math.ulp(mean)


def test_mixed_magnitudes_lose_nothing_that_matters():
    values = [1e16, 1.0, -1e16, 3.0] * 300
    moments, (mean, m2) = Moments(values), exact(values)
    assert relative_error(moments.m2, m2) <= 8 * EPSILON
    assert abs(Fraction(moments.mean) - mean) <= EPSILON * Fraction(1e16)


@pytest.mark.parametrize("name", ["Lottery", "Mavro", "NumAcc1", "NumAcc2", "NumAcc3"])
def test_certified_sets_agree_to_all_digits_a_perfect_algorithm_has(name, shared_data):
    folder = shared_data / "nist_strd"
    certified = json.loads((folder / "certified.json").read_text())[name]
    values = nist_values(folder / f"{name}.dat", certified["n"])
    moments, (mean, m2) = Moments(values), exact(values)
    # What is lost when the decimal data become doubles is lost for every algorithm.
    reachable = abs(
        math.sqrt(m2 / (len(values) - 1)) - float(certified["certified_sample_std_n_minus_1"])
    )
    deviation = abs(moments.std() - float(certified["certified_sample_std_n_minus_1"]))
    assert deviation <= reachable + 4 * math.ulp(moments.std())
    assert moments.mean == pytest.approx(float(mean), abs=math.ulp(float(mean)))
    assert moments.mean == pytest.approx(float(certified["certified_mean"]), rel=1e-14)


def nist_values(path, count):
    numbers = [line.strip() for line in path.read_text().splitlines() if line.strip()]
    return [float(number) for number in numbers[-count:]]


def test_recorded_series_agree_with_rational_arithmetic(shared_data):
    numpy = pytest.importorskip("numpy")
    reference = json.loads((shared_data / "reference_stats.json").read_text())["series"]
    recorded = {name: stats for name, stats in reference.items() if name.endswith(".npy")}
    for name, stats in recorded.items():
        moments = Moments(numpy.load(shared_data / name))
        assert moments.count == stats["n"]
        assert (moments.min, moments.max) == (stats["min"], stats["max"])
        mean, std = float(stats["mean"]), float(stats["sample_std"])
        assert moments.std() == pytest.approx(std, rel=4e-16), name
        assert moments.mean == pytest.approx(mean, rel=2.3e-16), name


@given(st.lists(moderate, min_size=1, max_size=60))
def test_any_values_keep_to_the_error_bound(values):
    moments, (mean, m2) = Moments(values), exact(values)
    spread = Fraction(moments.max) - Fraction(moments.min)
    underflow = len(values) * Fraction(5e-324)
    assert abs(Fraction(moments.mean) - mean) <= EPSILON * (abs(mean) + 4 * spread) + underflow
    assert abs(Fraction(moments.m2) - m2) <= 16 * EPSILON * m2 + underflow


@given(st.lists(st.floats(), max_size=1100), st.lists(st.integers(0, 600), max_size=8))
def test_every_cut_gives_the_same_state(values, cuts):
    whole, cut = Moments(values), Moments()
    start = 0
    for length in cuts:
        cut.push_many(values[start : start + length])
        start += length
    for x in values[start:]:
        cut.push(x)
    assert whole == cut


def test_a_mean_whose_sum_is_exact_is_rounded_once():
    assert Moments([0, 0, 7]).mean == Moments([7, 0, 0]).mean == 7 / 3
    assert Moments(range(1000)).mean == 499.5


def test_a_constant_stream_has_no_variance():
    moments = Moments([0.1] * 1000)
    assert (moments.mean, moments.m2, moments.std()) == (0.1, 0.0, 0.0)


@given(st.lists(moderate, min_size=1, max_size=40), st.lists(moderate, min_size=1, max_size=40))
def test_merging_is_pushing_to_the_error_bound(first, second):
    moments = Moments(first)
    moments.merge(Moments(second))
    mean, m2 = exact(first + second)
    assert moments.count == len(first) + len(second)
    assert (moments.first, moments.last) == (first[0], second[-1])
    assert (moments.min, moments.max) == (
        Moments(first + second).min,
        Moments(first + second).max,
    )
    largest = max(abs(Fraction(v)) for v in first + second)
    underflow = 100 * Fraction(5e-324)
    assert abs(Fraction(moments.mean) - mean) <= 4 * EPSILON * largest + underflow
    assert abs(Fraction(moments.m2) - m2) <= 32 * EPSILON * m2 + underflow


def test_merging_nothing_changes_nothing():
    moments = Moments([1.0, 2.0])
    moments.merge(Moments())
    assert moments.summary() == Moments([1.0, 2.0]).summary()
    empty = Moments()
    empty.merge(moments)
    assert empty.summary() == moments.summary()


def test_merging_with_itself_doubles_the_count():
    moments = Moments([1.0, 3.0])
    moments.merge(moments)
    assert moments.summary() == (4, 2.0, 4.0, 1.0, 3.0, 1.0, 3.0)


def test_nothing_has_no_moments():
    moments = Moments()
    assert moments.count == 0
    assert moments.m2 == 0.0
    for answer in (moments.mean, moments.min, moments.max, moments.first, moments.last):
        assert math.isnan(answer)
    assert math.isnan(moments.variance())
    assert math.isnan(Moments([1.0]).variance())
    assert Moments([1.0]).variance(ddof=0) == 0.0


@pytest.mark.parametrize(
    ("values", "mean", "m2", "low", "high"),
    [
        ([1.0, math.inf], math.inf, math.nan, 1.0, math.inf),
        ([1.0, -math.inf], -math.inf, math.nan, -math.inf, 1.0),
        ([math.inf, -math.inf], math.nan, math.nan, -math.inf, math.inf),
        ([1.0, math.nan, 2.0], math.nan, math.nan, math.nan, math.nan),
        ([1.5e308] * 4, 1.5e308, 0.0, 1.5e308, 1.5e308),
        ([1.7e308, -1.7e308], 0.0, math.inf, -1.7e308, 1.7e308),
        ([-0.0, 0.0], 0.0, 0.0, 0.0, 0.0),
    ],
)
def test_values_beyond_the_ordinary(values, mean, m2, low, high):
    merged = Moments()
    for v in values:
        merged.merge(Moments([v]))
    for moments in (Moments(values), merged):
        answers = (moments.mean, moments.m2, moments.min, moments.max)
        assert [repr(x) for x in answers] == [repr(x) for x in (mean, m2, low, high)]


def test_nan_is_omitted_where_it_is_asked_for():
    holes = [1.0, math.nan, 2.0, math.nan, 6.0]
    moments = Moments(holes, nan_policy="omit")
    assert moments.summary() == Moments([1.0, 2.0, 6.0]).summary()
    moments.push(math.nan)
    assert moments.count == 3


def test_nan_is_refused_by_its_position_and_the_values_before_it_are_taken():
    moments = Moments(nan_policy="raise")
    values = [1.0] * 700 + [math.nan, 5.0]
    for source in (values, array("d", values), iter(values)):
        moments.reset()
        with pytest.raises(InvalidInputError, match=r"values\[700\]"):
            moments.push_many(source)
        assert moments.count == 700
    with pytest.raises(InvalidInputError, match="x: expected a number"):
        moments.push(math.nan)
    assert moments.count == 700


def test_an_unknown_nan_policy_is_refused():
    with pytest.raises(InvalidInputError, match="'propagate', 'omit' or 'raise'"):
        Moments(nan_policy="ignore")


def test_ddof_is_subtracted_from_the_count():
    moments = Moments([1.0, 2.0, 3.0, 4.0])
    assert [moments.variance(ddof) for ddof in (0, 1, 2)] == [1.25, 5 / 3, 2.5]
    with pytest.raises(InvalidInputError, match="ddof"):
        moments.variance(-1)


def test_a_summary_becomes_moments_again():
    moments = Moments([3.0, 1.0, 2.0])
    assert Moments.from_summary(*moments.summary()).summary() == moments.summary()
    assert Moments.from_summary(0, math.nan, 0.0, *[math.nan] * 4) == Moments()
    for bad in ({"count": -1}, {"m2": -0.5}):
        fields = {
            "count": 1,
            "mean": 1.0,
            "m2": 0.0,
            "min": 1.0,
            "max": 1.0,
            "first": 1.0,
            "last": 1,
        }
        with pytest.raises(InvalidInputError, match=next(iter(bad))):
            Moments.from_summary(**fields | bad)


@given(st.lists(st.floats(), max_size=600), st.sampled_from(["propagate", "omit"]))
def test_state_survives_bytes_pickle_and_copy(values, policy):
    moments = Moments(values, nan_policy=policy)
    for revived in (
        Moments.from_bytes(moments.to_bytes()),
        pickle.loads(pickle.dumps(moments)),
        copy.copy(moments),
        copy.deepcopy(moments),
        moments.copy(),
    ):
        assert revived == moments
        assert revived is not moments
        revived.push(1.5)
        moments_then = moments.copy()
        moments_then.push(1.5)
        assert revived == moments_then


def test_bytes_of_version_1_are_read_for_good():
    written = bytes.fromhex(
        "414f6d31000002000000000000000000000000000000f87f0000000000000000"
        "0000000000000000000000000000f87f000000000000f87f000000000000f87f"
        "000000000000f87f000000000000f83f0000000000000440"
    )
    assert Moments.from_bytes(written) == Moments([1.5, 2.5])
    assert Moments([1.5, 2.5]).to_bytes() == written


@pytest.mark.parametrize("damage", [b"", b"AOm2", b"AOm1", b"nonsense" * 20])
def test_bytes_that_are_no_moments_are_refused(damage):
    with pytest.raises(InvalidInputError, match="data"):
        Moments.from_bytes(damage)
    whole = Moments([1.0, 2.0]).to_bytes()
    with pytest.raises(InvalidInputError, match="data"):
        Moments.from_bytes(whole[:-3])


def test_moments_are_no_keys_and_equal_only_moments():
    with pytest.raises(TypeError):
        hash(Moments())
    assert Moments() != "moments"
    assert "count=2" in repr(Moments([1.0, 2.0]))


class TestSources:
    VALUES = (1.0, 2.5, -3.0, 4.0)

    @pytest.mark.parametrize(
        "source",
        [
            list(VALUES),
            VALUES,
            iter(VALUES),
            (v for v in VALUES),
            dict.fromkeys(VALUES),
            array("d", VALUES),
            memoryview(array("d", VALUES)).toreadonly(),
            memoryview(array("d", [v for x in VALUES for v in (x, 9.0)]))[::2],
            memoryview(array("d", VALUES[::-1]))[::-1],
            array("f", VALUES),
        ],
        ids=lambda source: type(source).__name__,
    )
    def test_any_iterable_of_numbers_is_read(self, source):
        assert Moments(source) == Moments(self.VALUES)

    def test_numpy_arrays_of_any_kind_are_read(self):
        numpy = pytest.importorskip("numpy")
        plain = numpy.array(self.VALUES)
        grid = numpy.zeros((4, 3))
        grid[:, 1] = self.VALUES
        frozen = plain.copy()
        frozen.flags.writeable = False
        unaligned = numpy.frombuffer(b"x" + plain.tobytes(), dtype=numpy.uint8)[1:].view("<f8")
        for source in (
            *(plain, frozen, plain[::-1][::-1], grid[:, 1], unaligned),
            *(plain.astype(">f8"), plain.astype("<f8"), plain.astype("f4"), plain.astype(object)),
        ):
            assert Moments(source) == Moments(self.VALUES)
        with pytest.raises(InvalidInputError, match="2 dimensions"):
            Moments(grid)

    @pytest.mark.parametrize("bad", ["123", [1.0, "2"], [None], 5, [[1.0]]])
    def test_what_is_no_number_is_a_type_error(self, bad):
        with pytest.raises(TypeError):
            Moments(bad)

    def test_values_before_a_bad_one_are_taken_as_in_a_loop(self):
        moments = Moments()
        with pytest.raises(TypeError):
            moments.push_many([1.0, 2.0, "three", 4.0])
        assert moments == Moments([1.0, 2.0])
