"""The eleven telemetry functions keep their rules, and agree with a plain reference."""

from __future__ import annotations

import math
import random
from array import array
from datetime import UTC, datetime, timedelta

import pytest

from aetherops.errors import InvalidInputError
from aetherops.telemetry import (
    adaptive_threshold,
    aggregate_telemetry_window,
    align_telemetry_timestamps,
    anomaly_score,
    correlate_streams,
    detect_drift,
    downsample,
    ewma,
    moving_average,
    telemetry_health_check,
    zscore_outliers,
)


class Plain:
    """The rules, written as plainly as they are stated, in several passes over lists."""

    @staticmethod
    def total(values):
        total = 0.0
        for v in values:
            total += v
        return total

    @classmethod
    def mean(cls, values):
        return cls.total(values) / len(values)

    @classmethod
    def std(cls, values, ddof):
        mean = cls.mean(values)
        return math.sqrt(cls.total((v - mean) ** 2 for v in values) / (len(values) - ddof)) or 0.001

    @classmethod
    def moving_average(cls, values, window):
        parts = [values[max(0, i - window + 1) : i + 1] for i in range(len(values))]
        return [round(cls.mean(part), 4) for part in parts]

    @staticmethod
    def ewma(values, alpha):
        smoothed = [float(v) for v in values[:1]]
        for v in values[1:]:
            smoothed.append(round(alpha * v + (1 - alpha) * smoothed[-1], 4))
        return smoothed

    @classmethod
    def z_scores(cls, values, ddof):
        mean, std = cls.mean(values), cls.std(values, ddof)
        return [abs(v - mean) / std for v in values]

    @classmethod
    def detect_drift(cls, values, threshold=2.0):
        if len(values) < 3:
            return []
        return [i for i, z in enumerate(cls.z_scores(values, 1)) if z > threshold]

    @classmethod
    def zscore_outliers(cls, values, z_limit=3.0):
        if not values:
            return []
        scores = cls.z_scores(values, 0)
        return [float(v) for v, z in zip(values, scores, strict=True) if z >= z_limit]

    @classmethod
    def downsample(cls, values, factor):
        parts = [values[i : i + factor] for i in range(0, len(values), factor)]
        return [round(cls.mean(part), 4) for part in parts]

    @classmethod
    def aggregate(cls, values, factor, threshold):
        return {
            "downsampled": cls.downsample(values, factor),
            "anomaly_indices": cls.detect_drift(values, threshold),
            "summary_mean": round(cls.mean(values), 4) if values else 0.0,
        }

    @classmethod
    def correlate(cls, a, b, max_lag=5):
        n, best = min(len(a), len(b)), None
        for lag in range(-max_lag, max_lag + 1):
            products = [a[i] * b[i + lag] for i in range(n) if 0 <= i + lag < len(b)]
            if products and (best is None or cls.mean(products) > best[1]):
                best = lag, cls.mean(products)
        lag, mean = best or (0, 0.0)
        return {"best_lag": lag, "correlation": round(mean, 4)}

    @classmethod
    def threshold(cls, values, sensitivity, min_samples):
        if len(values) < min_samples:
            return {"threshold": math.inf, "baseline": 0.0, "std": 0.0, "ready": False}
        last = values[len(values) - min_samples :]
        mean, std = cls.mean(last), cls.std(last, 0)
        return {
            "threshold": round(mean + sensitivity * std, 4),
            "baseline": round(mean, 4),
            "std": round(std, 4),
            "ready": True,
        }


def windows(seed, count):
    rng = random.Random(seed)
    for _ in range(count):
        length = rng.choice([1, 2, 3, 7, 10, 50, 300, 1500])
        kind = rng.randrange(4)
        if kind == 0:
            values = [rng.randrange(-1000, 1000) for _ in range(length)]
        elif kind == 1:
            values = [100.0 + 5 * math.sin(i / 9) + rng.gauss(0, 0.1) for i in range(length)]
        else:
            values = [rng.gauss(10.0 ** rng.uniform(-2, 4), 3) for _ in range(length)]
        for _ in range(length // 50):
            values[rng.randrange(length)] *= 10
        yield rng, values


def test_the_plain_reference_agrees_on_generated_windows():
    last_bit = compared = 0
    for rng, values in windows(seed=1, count=400):
        factor, threshold = rng.choice([1, 2, 3, 10, 64, 100]), rng.choice([1.0, 2.0, 3.0])
        source = rng.choice([list, tuple, iter, lambda v: array("d", v)])
        assert downsample(source(values), factor) == Plain.downsample(values, factor)
        assert moving_average(source(values), factor) == Plain.moving_average(values, factor)
        alpha = rng.uniform(0.01, 1)
        assert ewma(source(values), alpha) == Plain.ewma(values, alpha)
        other = values[rng.randrange(len(values)) :]
        assert correlate_streams(source(values), source(other)) == Plain.correlate(values, other)
        samples = rng.randrange(1, 40)
        assert adaptive_threshold(source(values), threshold, samples) == Plain.threshold(
            values, threshold, samples
        )
        ours = aggregate_telemetry_window(source(values), factor, threshold)
        plain = Plain.aggregate(values, factor, threshold)
        assert ours["downsampled"] == plain["downsampled"]
        assert ours["summary_mean"] == plain["summary_mean"]
        drift = ours["anomaly_indices"], plain["anomaly_indices"]
        outliers = (
            zscore_outliers(source(values), threshold),
            Plain.zscore_outliers(values, threshold),
        )
        compared += len(values)
        for (found, expected), ddof in ((drift, 1), (outliers, 0)):
            # A score on the boundary may fall to either side in its last bit.
            missed = set(found) ^ set(expected)
            on_the_edge = (
                [
                    x
                    for i, (x, z) in enumerate(
                        zip(values, Plain.z_scores(values, ddof), strict=True)
                    )
                    if (i in missed or x in missed) and z == pytest.approx(threshold, rel=1e-14)
                ]
                if missed
                else []
            )
            assert len(on_the_edge) >= len(missed)
            last_bit += len(missed)
    assert compared > 50_000
    assert last_bit <= compared / 10_000


@pytest.mark.parametrize(
    "function",
    [
        lambda v: moving_average(v, 3),
        lambda v: ewma(v, 0.5),
        detect_drift,
        zscore_outliers,
        lambda v: downsample(v, 2),
    ],
)
def test_an_empty_input_gives_an_empty_list(function):
    for empty in ([], (), iter([]), array("d")):
        assert function(empty) == []


class TestMovingAverage:
    def test_is_shorter_at_the_start(self):
        assert moving_average([1, 2, 3, 4], 2) == [1.0, 1.5, 2.5, 3.5]
        assert moving_average([1, 2, 3], 10) == [1.0, 1.5, 2.0]

    def test_an_outlier_leaves_no_trace_in_later_windows(self):
        assert moving_average([1e17, 0.1, 0.2, 0.3], 2)[2:] == [0.15, 0.25]

    @pytest.mark.parametrize("window", [0, -1])
    def test_refuses_a_window_that_is_not_positive(self, window):
        with pytest.raises(ValueError, match="window"):
            moving_average([], window)


class TestEwma:
    def test_starts_with_the_first_value_and_rounds_each_step(self):
        assert ewma([10, 12, 11], 0.5) == [10.0, 11.0, 11.0]
        assert ewma([1.23456789], 0.5) == [1.23456789]
        assert ewma([0.0, 0.00006], 0.5) == [0.0, 0.0]

    @pytest.mark.parametrize("alpha", [0, -0.1, 1.0001, math.nan])
    def test_refuses_a_weight_outside_its_range_except_for_nothing(self, alpha):
        with pytest.raises(ValueError, match="alpha"):
            ewma([1.0], alpha)
        assert ewma([], alpha) == []

    def test_takes_a_weight_of_one(self):
        assert ewma([1, 2, 3], 1) == [1.0, 2.0, 3.0]


class TestAnomalyScore:
    def test_is_the_mean_distance_in_tolerances(self):
        assert anomaly_score([8, 12, 10], 10, 4) == 0.3333
        assert anomaly_score([], 10, 4) == 0.0

    @pytest.mark.parametrize("tolerance", [0, -1.0])
    def test_refuses_a_tolerance_that_is_not_positive(self, tolerance):
        with pytest.raises(ValueError, match="tolerance"):
            anomaly_score([1.0], 0, tolerance)


class TestDetectDrift:
    def test_finds_values_strictly_beyond_the_threshold(self):
        assert detect_drift([10, 10, 10, 10, 10, 100]) == [5]
        values = [10, 10, 10, 10, 100]
        z = 72 / math.sqrt(6480 / 4)
        assert detect_drift(values, z) == []
        assert detect_drift(values, math.nextafter(z, 0)) == [4]

    def test_needs_three_values(self):
        assert detect_drift([0, 1e9]) == []

    def test_takes_a_small_deviation_where_all_are_the_same(self):
        assert detect_drift([0.1] * 100) == []


class TestZscoreOutliers:
    def test_takes_values_that_reach_the_limit(self):
        assert zscore_outliers([10] * 99 + [1000], 3.0) == [1000.0]
        assert zscore_outliers([10, 10, 10, 10, 100], 2.0) == [100.0]
        assert zscore_outliers([10, 10, 10, 10, 100], math.nextafter(2.0, 3)) == []

    def test_of_equal_values_only_a_limit_of_zero_takes_all(self):
        assert zscore_outliers([5, 5], 0.0) == [5.0, 5.0]
        assert zscore_outliers([5, 5], 0.1) == []


class TestDownsample:
    def test_reduces_runs_the_last_of_which_may_be_shorter(self):
        assert downsample([1, 3, 5, 7], 2) == [2.0, 6.0]
        assert downsample([1, 3, 5], 2) == [2.0, 5.0]

    @pytest.mark.parametrize(
        ("function", "expected"),
        [("mean", [4.0, 5.5]), ("median", [2.0, 5.5]), ("min", [1.0, 4.0]), ("max", [9.0, 7.0])],
    )
    def test_offers_other_functions(self, function, expected):
        assert downsample([2, 9, 1, 4, 7], 3, function=function) == expected
        assert downsample([2, 9, 1, 4, 7], 3, function="last") == [1.0, 7.0]

    @pytest.mark.parametrize("factor", [0, -2])
    def test_refuses_a_factor_that_is_not_positive(self, factor):
        with pytest.raises(ValueError, match="factor"):
            downsample([], factor)

    def test_refuses_what_it_does_not_know(self):
        with pytest.raises(InvalidInputError, match="functions"):
            downsample([1], 1, function="mode")
        with pytest.raises(InvalidInputError, match="decimals"):
            downsample([1], 1, decimals=16)
        with pytest.raises(TypeError):
            downsample([1], 1.5)


class TestAggregateTelemetryWindow:
    def test_joins_buckets_drift_and_mean(self):
        values = [10, 10, 10, 10, 10, 100]
        assert aggregate_telemetry_window(values, 4) == {
            "downsampled": [10.0, 55.0],
            "anomaly_indices": [5],
            "summary_mean": 25.0,
        }

    def test_of_nothing(self):
        for empty in ([], iter([])):
            assert aggregate_telemetry_window(empty, 2) == {
                "downsampled": [],
                "anomaly_indices": [],
                "summary_mean": 0.0,
            }


class TestCorrelateStreams:
    def test_finds_the_lag_of_a_shifted_stream(self):
        pulse = [0, 0, 1, 5, 1, 0, 0, 0]
        assert correlate_streams(pulse, [0, 0, *pulse])["best_lag"] == 2
        assert correlate_streams([0, 0, *pulse], pulse)["best_lag"] == -2

    def test_the_last_element_has_its_part(self):
        assert correlate_streams([1, 0], [0, 7], 1) == {"best_lag": 1, "correlation": 7.0}

    def test_of_equal_means_the_first_lag_wins(self):
        assert correlate_streams([1, 1], [1, 1], 1)["best_lag"] == -1

    def test_lags_beyond_the_longer_stream_cost_nothing(self):
        expected = correlate_streams([1, 0, 3], [0, 7], 3)
        for max_lag in (4, 2**31, 2**53):
            assert correlate_streams([1, 0, 3], [0, 7], max_lag) == expected
        assert correlate_streams([], [], 2**31) == {"best_lag": 0, "correlation": 0.0}

    def test_of_nothing(self):
        for a, b in ([[], [1.0]], [[1.0], []], [[], []]):
            assert correlate_streams(a, b) == {"best_lag": 0, "correlation": 0.0}


class TestThresholds:
    def test_waits_for_enough_samples(self):
        waiting = {"threshold": math.inf, "baseline": 0.0, "std": 0.0, "ready": False}
        assert adaptive_threshold([1] * 9) == waiting
        assert telemetry_health_check([1] * 9) == {
            "status": "insufficient_data",
            "anomalies": 0,
            "threshold": 0.0,
        }

    def test_uses_only_the_last_samples(self):
        answer = adaptive_threshold([1e9, 1, 2, 3, 4], 2.0, 4)
        assert answer == {"threshold": 4.7361, "baseline": 2.5, "std": 1.118, "ready": True}

    def test_three_values_above_it_degrade_a_stream(self):
        check = telemetry_health_check([10] * 92 + [100] * 8, 2.0, 50)
        assert (check["status"], check["anomalies"]) == ("degraded", 8)
        assert telemetry_health_check([1] * 20 + [9, 9] + [1] * 20)["status"] == "healthy"
        assert telemetry_health_check([1] * 20 + [9, 9, 9] + [1] * 20)["status"] == "degraded"


class TestAlignTelemetryTimestamps:
    def test_measures_against_the_reference_alone(self):
        readings = [{"timestamp": 100.0}, {"timestamp": 160.00004}, {"timestamp": 200.5}]
        aligned = align_telemetry_timestamps(readings, 100.0)
        assert [one["offset_s"] for one in aligned] == [0.0, 60.0, 100.5]
        assert [one["aligned"] for one in aligned] == [True, False, False]

    def test_the_sign_tells_before_from_after(self):
        (one,) = align_telemetry_timestamps([{"timestamp": 5, "v": 1}], 7.5)
        assert one == {"timestamp": 5, "v": 1, "offset_s": -2.5, "aligned": True}

    def test_takes_datetimes_too(self):
        noon = datetime(2026, 1, 1, 12, tzinfo=UTC)
        (one,) = align_telemetry_timestamps([{"timestamp": noon + timedelta(minutes=2)}], noon)
        assert (one["offset_s"], one["aligned"]) == (120.0, False)

    def test_a_reading_without_a_time_is_aligned_and_the_input_unchanged(self):
        reading = {"v": 1}
        assert align_telemetry_timestamps([reading], 0) == [
            {"v": 1, "offset_s": 0.0, "aligned": True}
        ]
        assert reading == {"v": 1}
