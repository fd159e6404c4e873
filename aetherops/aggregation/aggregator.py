"""The streaming aggregator: moments, buckets and anomalies of a stream in one pass."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from math import sqrt
from typing import Any, Self, TypeAlias, TypedDict

from aetherops import core
from aetherops.aggregation import aggregator_state
from aetherops.aggregation.columns import float64_column, frozen
from aetherops.aggregation.drift import MIN_COUNT
from aetherops.aggregation.moments import Moments
from aetherops.aggregation.window_summary import (
    Drained,
    WindowSummary,
    all_columns,
    completed_columns,
)
from aetherops.core.aggregation_input import MAX_EXACT_COUNT, count_refused
from aetherops.errors import InvalidInputError

__all__ = ["StreamingAggregator", "TelemetryWindow", "aggregate_telemetry_window", "summarize"]

_Summary: TypeAlias = tuple[int, float, float, float, float, float, float]


class StreamingAggregator(core.Accumulator):
    """Moments, buckets and anomalies of the values pushed, in one pass.

    Values may come one by one, as lists, as buffers, in any cut: the same values give the same
    bits.

    Parameters
    ----------
    factor : values a bucket, or several such numbers for buckets of several sizes in the same pass.
    functions : what each bucket is reduced to: ``mean``, ``median``, ``min``, ``max``, ``last``.
    decimals : bucket values are rounded as ``round(x, decimals)``; ``None`` leaves them alone.
    nan_policy : ``propagate``, ``omit`` (moments and buckets pass over NaN, positions still count)
        or ``raise`` (`InvalidInputError`; the values before it have been taken).
    anomaly_threshold : standard deviations beyond which a value is anomalous; ``None`` looks for
        no anomalies.
    mode : ``window`` compares all values with the mean and deviation of the whole window, when a
        snapshot is taken, and retains them for that (8 bytes each). ``online`` compares each value
        with those before it, as it arrives, and retains nothing; infinities are compared but not
        learnt from.
    warmup : values before the first is compared (online mode), at least 2.
    ddof : subtracted from the count in the divisor of the variance.

    Raises
    ------
    InvalidInputError
        An argument is out of range.
    """

    __slots__ = {  # noqa: RUF023  # in the order of the arguments
        "factors": "Values a bucket, a number for each size of buckets.",
        "functions": "What each bucket is reduced to.",
        "decimals": "To how many decimals bucket values are rounded; ``None`` leaves them alone.",
        "anomaly_threshold": "Standard deviations beyond which a value is anomalous, or ``None``.",
        "mode": "``window`` or ``online``: with which values each is compared.",
        "warmup": "Values before the first is compared (online mode).",
        "ddof": "Subtracted from the count in the divisor of the variance.",
    }

    def __init__(
        self,
        factor: int | Iterable[int],
        functions: str | Iterable[str] = ("mean",),
        *,
        decimals: int | None = 4,
        nan_policy: str = "propagate",
        anomaly_threshold: float | None = 2.0,
        mode: str = "window",
        warmup: int = 30,
        ddof: int = 1,
    ) -> None:
        buckets = _new_buckets(factor, functions, decimals, nan_policy)
        self.factors = tuple(one.factor for one in buckets)
        self.functions = buckets[0].functions
        self.decimals = decimals
        self.anomaly_threshold = anomaly_threshold
        self.mode = mode
        self.warmup = warmup
        self.ddof = ddof
        self._check()
        super().__init__(
            buckets,
            nan_policy=nan_policy,
            retains=mode == "window" and anomaly_threshold is not None,
            threshold=anomaly_threshold if mode == "online" else None,
            warmup=warmup,
        )

    def _check(self) -> None:
        if self.mode not in ("window", "online"):
            raise InvalidInputError("mode", self.mode, "'window' or 'online'")
        if self.mode == "online" and self.anomaly_threshold is None:
            raise InvalidInputError("anomaly_threshold", None, "a number, in online mode")
        if self.anomaly_threshold is not None and not self.anomaly_threshold >= 0:
            raise InvalidInputError("anomaly_threshold", self.anomaly_threshold, "0 or more")
        if self.warmup < 2:
            raise InvalidInputError("warmup", self.warmup, "2 or more values")
        if self.ddof < 0:
            raise InvalidInputError("ddof", self.ddof, "0 or more")

    @property
    def nan_policy(self) -> str:
        """What a NaN does: ``propagate``, ``omit`` or ``raise``."""
        return core.parts_of(self)[0].nan_policy

    @property
    def moments(self) -> Moments:
        """A copy of the moments of all values so far."""
        moments = Moments(nan_policy=self.nan_policy)
        core.restore_moments(moments, core.moments_state(core.parts_of(self)[0]))
        return moments

    def snapshot(self) -> WindowSummary:
        """What is known of all values since the beginning, or the last ``reset``.

        Buckets are those that ``drain`` has not handed out, the one that is filling as the last.
        The aggregator goes on as if it had not been asked.
        """
        moments, buckets = core.parts_of(self)
        summary = moments.summary()
        if self.mode == "online":
            found = core.accumulator_state(self)[-1]
        else:
            found = _anomalies(self, summary, self.anomaly_threshold)
        return WindowSummary.of(summary, self.ddof, all_columns(buckets), found)

    def drain(self) -> Drained:
        """The buckets completed and (online mode) the anomalies found since the last drain.

        They are forgotten: with this, an endless stream needs constant memory, unless its window is
        retained for the sake of anomalies.
        """
        _, buckets = core.parts_of(self)
        return Drained(completed_columns(buckets), frozen(core.take_anomalies(self)))

    def merge(self, other: StreamingAggregator) -> None:
        """Take what another has seen, as if it had come after.

        The bucket that is filling here is closed as it is: where the values so far are a multiple
        of every factor, the buckets are those of one pass. Moments are merged by Chan's formula.

        Raises
        ------
        InvalidInputError
            The other was made with other arguments, or both together have seen more than 2**53
            values.
        """
        known = isinstance(other, StreamingAggregator)
        if not known or other._arguments() != self._arguments():
            raise InvalidInputError("other", other, "an aggregator made with the same arguments")
        seen, retained, detector, found = core.accumulator_state(self)
        other_seen, other_retained, other_detector, other_found = core.accumulator_state(other)
        if seen + other_seen > MAX_EXACT_COUNT:
            raise count_refused(seen + other_seen)
        moments, buckets = core.parts_of(self)
        other_moments, other_buckets = core.parts_of(other)
        moments.merge(other_moments)
        for mine, others in zip(buckets, other_buckets, strict=True):
            mine.merge(others)
        retained.extend(other_retained)
        found.extend(seen + index for index in other_found)
        learnt = _merged_detectors(detector, other_detector)
        core.restore_accumulator(self, (seen + other_seen, retained, learnt, found))

    def copy(self) -> Self:
        """An independent aggregator in the same state, made as the class itself is.

        A subclass that takes other arguments, or has attributes of its own, copies, pickles and
        reads them back itself.
        """
        copied = type(self)(**self._arguments())
        _restore(copied, _state_of(self))
        return copied

    def to_bytes(self) -> bytes:
        """The whole state with its version: what was pushed and how it was to be aggregated."""
        return aggregator_state.packed(self._arguments(), _state_of(self))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What ``to_bytes`` wrote, in any version of it.

        Raises
        ------
        InvalidInputError
            The bytes were not written by ``to_bytes``, or not by one this version knows.
        """
        arguments, state = aggregator_state.unpacked(data)
        aggregator = cls(**arguments)
        _restore(aggregator, state)
        return aggregator

    def _arguments(self) -> dict[str, Any]:
        return {
            "factor": self.factors,
            "functions": self.functions,
            "decimals": self.decimals,
            "nan_policy": self.nan_policy,
            "anomaly_threshold": self.anomaly_threshold,
            "mode": self.mode,
            "warmup": self.warmup,
            "ddof": self.ddof,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).from_bytes, (self.to_bytes(),)

    def __copy__(self) -> Self:
        return self.copy()

    def __deepcopy__(self, memo: object) -> Self:
        return self.copy()

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self._arguments().items())
        return f"StreamingAggregator({arguments}): {self.n_seen:,} values"


def summarize(
    values: Iterable[float],
    factor: int | Iterable[int],
    functions: str | Iterable[str] = ("mean",),
    *,
    decimals: int | None = 4,
    nan_policy: str = "propagate",
    anomaly_threshold: float | None = 2.0,
    ddof: int = 1,
) -> WindowSummary:
    """The summary of one window that is there as a whole; arguments as of `StreamingAggregator`.

    As pushing all and taking a snapshot, but nothing is copied or retained: for the anomalies, only
    the values that lay far from the mean so far are read again.

    Raises
    ------
    InvalidInputError
        An argument is out of range, or a NaN is refused.
    """
    buckets = _new_buckets(factor, functions, decimals, nan_policy)
    summary, found = _one_pass(values, buckets, nan_policy, anomaly_threshold)
    return WindowSummary.of(summary, ddof, all_columns(buckets, give_away=True), found)


def _one_pass(
    values: Iterable[float],
    buckets: list[core.Buckets],
    nan_policy: str,
    anomaly_threshold: float | None,
) -> tuple[_Summary, array[int]]:
    """Fill the buckets; the summary of moments, and the indices of the anomalies."""
    if not isinstance(values, (list, tuple, array)):
        values = float64_column(values)
    accumulator = core.Accumulator(
        buckets, nan_policy=nan_policy, candidate_threshold=anomaly_threshold
    )
    accumulator.push_many(values)
    moments, _ = core.parts_of(accumulator)
    summary = core.finish_moments(moments)
    return summary, _anomalies(accumulator, summary, anomaly_threshold, values)


def _new_buckets(
    factor: int | Iterable[int],
    functions: str | Iterable[str],
    decimals: int | None,
    nan_policy: str,
) -> list[core.Buckets]:
    # NaN that must be refused does not get as far as the buckets.
    policy = "propagate" if nan_policy == "raise" else nan_policy
    if isinstance(factor, int) or not isinstance(factor, Iterable):
        return [core.Buckets(factor, functions, decimals=decimals, nan_policy=policy)]
    sizes = list(factor)
    if not sizes or len(set(sizes)) < len(sizes):
        raise InvalidInputError("factor", factor, "one or more numbers, each once")
    names = core.checked_functions(functions)
    return [core.Buckets(size, names, decimals=decimals, nan_policy=policy) for size in sizes]


class TelemetryWindow(TypedDict):
    """Bucket means, indices of anomalies, and the mean of all values."""

    downsampled: list[float]
    anomaly_indices: list[int]
    summary_mean: float


def aggregate_telemetry_window(
    values: Iterable[float], downsample_factor: int, anomaly_threshold: float = 2.0
) -> TelemetryWindow:
    """Bucket means as of `downsample`, drift as of `detect_drift`, the mean, rounded to 4 digits.

    `summarize` gives more, as columns instead of lists, with a quarter of the memory.
    """
    summary = summarize(values, downsample_factor, anomaly_threshold=anomaly_threshold)
    return {
        "downsampled": list(summary.downsampled["mean"]),
        "anomaly_indices": summary.anomaly_indices.tolist(),
        "summary_mean": round(summary.mean, 4) if summary.count else 0.0,
    }


def _anomalies(
    accumulator: core.Accumulator,
    summary: _Summary,
    threshold: float | None,
    values: Iterable[float] = (),
) -> array[int]:
    """Indices of the values that lie far from the mean of the window, as `detect_drift` has it."""
    count, mean, m2, *_ = summary
    if threshold is None or count < MIN_COUNT:
        return array("q")
    std = sqrt(m2 / (count - 1)) or core.MIN_STD
    return core.anomalies_of(accumulator, mean, std, threshold, values)


def _state_of(aggregator: StreamingAggregator) -> aggregator_state.State:
    moments, buckets = core.parts_of(aggregator)
    return aggregator_state.State(
        core.moments_state(moments),
        [one.state() for one in buckets],
        core.accumulator_state(aggregator),
    )


def _restore(aggregator: StreamingAggregator, state: aggregator_state.State) -> None:
    moments, buckets = core.parts_of(aggregator)
    core.restore_moments(moments, state.moments)
    for one, its_state in zip(buckets, state.buckets, strict=True):
        one.restore(its_state)
    core.restore_accumulator(aggregator, state.accumulator)


def _merged_detectors(
    a: tuple[int, float, float], b: tuple[int, float, float]
) -> tuple[int, float, float]:
    """Chan, Golub and LeVeque's update of what two detectors have learnt."""
    n = a[0] + b[0]
    if not n:
        return a
    delta = b[1] - a[1]
    mean = a[1] + delta * (b[0] / n)
    return n, mean, (a[2] + b[2]) + delta * delta * (a[0] * (b[0] / n))
