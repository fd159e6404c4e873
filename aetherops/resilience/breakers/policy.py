"""When a breaker opens, how it probes, and how long it waits: one frozen value, checked once."""

from __future__ import annotations

from dataclasses import dataclass

from aetherops.errors import InvalidInputError

__all__ = ["BreakerPolicy", "CountWindow", "TimeWindow"]

_NS = 1_000_000_000
_MAX_DURATION_S = 1e9  # in nanoseconds, twice this still fits 64 bits beside a clock reading
_MAX_WINDOW = 1_000_000


def to_ns(seconds: float) -> int:
    """Whole nanoseconds, at least one."""
    return max(round(seconds * _NS), 1)


def _check_integer(field: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most or value != int(value):
        raise InvalidInputError(field, value, f"an integer from {least:,} to {most:,}")


def _check_duration(field: str, seconds: float) -> None:
    if not 0 < seconds <= _MAX_DURATION_S:
        raise InvalidInputError(field, seconds, f"more than 0 and at most {_MAX_DURATION_S:g} s")


def _check_share(field: str, share: float | None) -> None:
    if share is not None and not 0 < share <= 1:
        raise InvalidInputError(field, share, "more than 0 and at most 1")


@dataclass(frozen=True, slots=True)
class CountWindow:
    """The last ``size`` calls (1 to 1,000,000)."""

    size: int = 100

    def __post_init__(self) -> None:
        _check_integer("window.size", self.size, 1, _MAX_WINDOW)


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The calls of the last ``seconds``, forgotten a bucket at a time (1 to 1,000,000 buckets)."""

    seconds: float = 60.0
    buckets: int = 10

    def __post_init__(self) -> None:
        _check_duration("window.seconds", self.seconds)
        _check_integer("window.buckets", self.buckets, 1, _MAX_WINDOW)

    @property
    def width_ns(self) -> int:
        """Nanoseconds that one bucket spans, rounded up."""
        return -(to_ns(self.seconds) // -self.buckets)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerPolicy:
    """The rules of one breaker. Several rules that open may be on: the first that holds opens.

    Parameters
    ----------
    failure_threshold : consecutive failures that open the breaker, None for never.
    failure_rate : share of failures in the window that opens it, in (0, 1], None for never.
    slow_call_rate, slow_call_s : share of calls slower than ``slow_call_s`` that opens it; both or
        neither. A probe that is slow then counts as failed.
    window : the calls that the rates are taken over.
    minimum_calls : calls in the window before a rate is evaluated.
    reset_timeout_s : seconds from opening to the first probe.
    backoff_factor : each opening without a closing between waits this much longer.
    max_reset_timeout_s : longest wait that backoff leads to; a longer ``reset_timeout_s`` stays.
    jitter : share of the wait, in [0, 1), by which it is drawn shorter or longer.
    success_threshold : successful probes that close the breaker.
    probe_count : probes of one half-open episode, at least ``success_threshold``, which is also
        the default. It opens again when too few are left to reach the threshold.
    max_half_open_s : longest half-open episode; lost probes then count as failed.

    Raises
    ------
    InvalidInputError
        A rule is out of its range, or contradicts another.
    """

    failure_threshold: int | None = 5
    failure_rate: float | None = None
    slow_call_rate: float | None = None
    slow_call_s: float | None = None
    window: CountWindow | TimeWindow = CountWindow()
    minimum_calls: int = 10
    reset_timeout_s: float = 30.0
    backoff_factor: float = 1.0
    max_reset_timeout_s: float = 300.0
    jitter: float = 0.0
    success_threshold: int = 1
    probe_count: int = 0
    max_half_open_s: float = 60.0

    def __post_init__(self) -> None:
        if self.failure_threshold is not None:
            _check_integer("failure_threshold", self.failure_threshold, 1, 2**31)
        self._check_rates()
        self._check_waits()
        _check_integer("success_threshold", self.success_threshold, 1, 2**31)
        if self.probe_count == 0:
            object.__setattr__(self, "probe_count", self.success_threshold)
        _check_integer("probe_count", self.probe_count, self.success_threshold, 2**31)

    @property
    def has_rates(self) -> bool:
        """Whether a window has to be kept."""
        return self.failure_rate is not None or self.slow_call_rate is not None

    @property
    def longest_open_ns(self) -> int:
        """Nanoseconds that no wait exceeds."""
        longest_s = self.reset_timeout_s
        if self.backoff_factor > 1:
            longest_s = max(longest_s, self.max_reset_timeout_s)
        return to_ns(longest_s * (1 + self.jitter))

    def open_ns(self, reopenings: int, draw: float) -> int:
        """Nanoseconds that the next opening lasts.

        Parameters
        ----------
        reopenings : openings since the breaker was last closed.
        draw : a random number in [0, 1) that decides the jitter.
        """
        longest_s = max(self.max_reset_timeout_s, self.reset_timeout_s)
        wait_s = self.reset_timeout_s
        if self.backoff_factor > 1:
            while reopenings > 0 and wait_s < longest_s:
                wait_s = min(wait_s * self.backoff_factor, longest_s)
                reopenings -= 1
        return to_ns(wait_s * (1 + self.jitter * (2 * draw - 1)))

    def _check_rates(self) -> None:
        _check_share("failure_rate", self.failure_rate)
        _check_share("slow_call_rate", self.slow_call_rate)
        if (self.slow_call_rate is None) != (self.slow_call_s is None):
            raise InvalidInputError(
                "slow_call_s", self.slow_call_s, "slow_call_rate and slow_call_s together"
            )
        if self.slow_call_s is not None:
            _check_duration("slow_call_s", self.slow_call_s)
        most = self.window.size if isinstance(self.window, CountWindow) else _MAX_WINDOW
        _check_integer("minimum_calls", self.minimum_calls, 1, most if self.has_rates else 2**31)

    def _check_waits(self) -> None:
        _check_duration("reset_timeout_s", self.reset_timeout_s)
        _check_duration("max_reset_timeout_s", self.max_reset_timeout_s)
        _check_duration("max_half_open_s", self.max_half_open_s)
        if not 1 <= self.backoff_factor <= 1000:
            raise InvalidInputError("backoff_factor", self.backoff_factor, "from 1 to 1000")
        if not 0 <= self.jitter < 1:
            raise InvalidInputError("jitter", self.jitter, "at least 0 and below 1")
