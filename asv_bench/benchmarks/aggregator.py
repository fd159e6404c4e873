"""The aggregator: the whole job over a window, pushes one by one, and what a store keeps."""

import os
import random
import subprocess
import sys
from array import array
from importlib import import_module

from aetherops import telemetry  # asv takes a name that begins with time_ for a benchmark
from aetherops.telemetry import Moments, StreamingAggregator, summarize


def values_of(size):
    generator = random.Random(0)
    return array("d", (generator.gauss(100.0, 5.0) for _ in range(size)))


class Window:
    """Bucket means of ten, moments, extremes and anomalies of one window."""

    params = (("array", "list"), (10_000, 100_000, 1_000_000))
    param_names = ("kind", "size")

    def setup(self, kind, size):
        values = values_of(size)
        self.values = values if kind == "array" else values.tolist()

    def time_summarize(self, kind, size):
        summarize(self.values, 10, anomaly_threshold=3.0)

    def time_streaming(self, kind, size):
        aggregator = StreamingAggregator(10, anomaly_threshold=3.0)
        aggregator.push_many(self.values)
        aggregator.snapshot()

    def peakmem_streaming(self, kind, size):
        self.time_streaming(kind, size)


class Functions:
    """One bucket function at a time, over 100,000 values."""

    params = (("mean", "median", "min", "max", "last"), (10, 100))
    param_names = ("function", "factor")

    def setup(self, function, factor):
        self.values = values_of(100_000)

    def time_buckets(self, function, factor):
        summarize(self.values, factor, function, anomaly_threshold=None)


class Pushes:
    """A thousand values, one by one."""

    def setup(self):
        self.values = values_of(1_000).tolist()
        self.moments = Moments()
        self.aggregator = StreamingAggregator(10, anomaly_threshold=None)

    def time_moments(self):
        push = self.moments.push
        for value in self.values:
            push(value)

    def time_aggregator(self):
        push = self.aggregator.push
        for value in self.values:
            push(value)
        self.aggregator.drain()


class ByTime:
    """A day at 1 Hz into buckets of a width in seconds."""

    params = (10, 60, 3_600)
    param_names = ("width_s",)

    def setup(self, width_s):
        self.times_us = array("q", range(0, 86_400_000_000, 1_000_000))
        self.values = values_of(86_400)

    def time_mean(self, width_s):
        telemetry.time_buckets(self.times_us, self.values, width_s * 1_000_000)


class Twins:
    """The kernels of both twins on the same values."""

    params = (("native", "pure"), (1_000, 100_000))
    param_names = ("implementation", "size")

    def setup(self, side, size):
        self.kernels = {
            name: import_module(f"aetherops.core._{side}.{name}")
            for name in ("anomalies", "buckets", "moments")
        }
        self.values = values_of(size)

    def time_moments(self, side, size):
        self.kernels["moments"].BlockMoments(self.values)

    def time_bucket_means(self, side, size):
        self.kernels["buckets"].Buckets(10, ["mean"], decimals=4).push_many(self.values)

    def time_anomalies(self, side, size):
        self.kernels["anomalies"].find_anomalies(self.values, 100.0, 5.0, 3.0)


class Series:
    """Series in, series out."""

    params = (10_000, 100_000)
    param_names = ("size",)

    def setup(self, size):
        self.values = values_of(size)

    def time_moving_average_of_60(self, size):
        telemetry.moving_average(self.values, 60)

    def time_rolling_moments_of_1000(self, size):
        telemetry.rolling(self.values, 1_000)

    def time_correlate_streams(self, size):
        telemetry.correlate_streams(self.values, self.values)

    def time_largest_triangles(self, size):
        telemetry.largest_triangle_three_buckets(self.values, 1_000)

    def time_min_max(self, size):
        telemetry.min_max(self.values, 1_000)


class Import:
    """What a program pays before its first value."""

    params = ("aetherops", "aetherops.telemetry", "aetherops.core")
    param_names = ("module",)

    def time_import(self, module):
        subprocess.run([sys.executable, "-c", f"import {module}"], check=True, env=dict(os.environ))
