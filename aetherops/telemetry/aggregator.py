"""The streaming aggregator: moments, buckets and anomalies of a stream in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import inf
from types import MappingProxyType
from typing import Any, Self

from aetherops import core
from aetherops.errors import InvalidInputError
from aetherops.telemetry.columns import float64_column, frozen
from aetherops.telemetry.moments import Moments
from aetherops.telemetry.window_summary import BucketColumns, Drained, WindowSummary

__all__ = ["StreamingAggregator", "aggregate_telemetry_window", "summarize"]

# The deviation that stands for "all values are the same".
_LEAST_STD = 0.001
# Fewer values show no drift.
_LEAST_COUNT = 3


class StreamingAggregator(core.Accumulator):
    """Moments, buckets and anomalies of the values pushed, in one pass.

    Values may come one by one, as lists, as buffers, in any cut: the same values give the same bits.

    Parameters
    ----------
    factor : values a bucket, or several such numbers for buckets of several sizes in the same pass.
    functions : what each bucket is reduced to: ``mean``, ``median``, ``min``, ``max``, ``last``.
    decimals : bucket values are rounded as ``round(x, decimals)``; ``None`` leaves them alone.
    nan_policy : ``propagate``, ``omit`` (moments and buckets pass over NaN, positions still count)
        or ``raise`` (`InvalidInputError`; the values before it have been taken).
    anomaly_threshold : standard deviations from which on a value is anomalous; ``None`` looks for no
        anomalies.
    mode : ``window`` judges all values by the mean and deviation of the whole window, when a snapshot
        is taken, and retains them for that (8 bytes each). ``online`` judges each value by those
        before it, as it arrives, and retains nothing; infinities are judged but not learnt from.
    warmup : values before the first is judged (online mode), at least 2.
    ddof : subtracted from the count in the divisor of the variance.

    Raises
    ------
    InvalidInputError
        An argument is out of range.
    """

    __slots__ = ("anomaly_threshold", "ddof", "decimals", "factors", "functions", "mode", "warmup")

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
        self.factors = (factor,) if isinstance(factor, int) else tuple(factor)
        self.functions = core.checked_functions(functions)
        self.decimals = decimals
        self.anomaly_threshold = anomaly_threshold
        self.mode = mode
        self.warmup = warmup
        self.ddof = ddof
        self._check()
        policy = "omit" if nan_policy == "omit" else "propagate"
        super().__init__(
            [
                core.Buckets(size, self.functions, decimals=decimals, nan_policy=policy)
                for size in self.factors
            ],
            nan_policy=nan_policy,
            retains=mode == "window" and anomaly_threshold is not None,
            threshold=anomaly_threshold if mode == "online" else None,
            warmup=warmup,
        )

    def _check(self) -> None:
        if not self.factors or len(set(self.factors)) < len(self.factors):
            raise InvalidInputError("factor", self.factors, "one or more numbers, each once")
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
        """What a NaN does."""
        return self.parts()[0].nan_policy

    @property
    def moments(self) -> Moments:
        """A copy of the moments of all values so far."""
        moments = Moments(nan_policy=self.nan_policy)
        moments.restore(*self.parts()[0].state())
        return moments

    def snapshot(self) -> WindowSummary:
        """What is known of all values since the beginning, or the last ``reset``.

        Buckets are those that ``drain`` has not handed out, with the one that is filling as the last.
        The aggregator goes on as if it had not been asked.
        """
        moments, buckets = self.parts()
        columns = {one.factor: _columns(one, one.completed(), partial=True) for one in buckets}
        _, _, _, found = self.state() if self.mode == "online" else (0, (), (), self._window())
        return WindowSummary.of(moments, self.ddof, columns, found)
