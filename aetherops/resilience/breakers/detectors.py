"""What counts as a failure: classifications of one call's outcome, and their combinations.

A detector is a function from an :class:`Outcome` to a :class:`Verdict`. Combinations follow
Kleene's logic of three values with failure as true and neutral as unknown: a neutral part leaves
the whole neutral unless the other parts decide it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import IntEnum
from operator import attrgetter
from typing import Any, Protocol

__all__ = [
    "FailureDetector",
    "Outcome",
    "Verdict",
    "all_of",
    "any_of",
    "classifies_results",
    "exceptions",
    "failure_when",
    "not_",
    "slower_than",
    "statuses",
]


class Verdict(IntEnum):
    """What a call's outcome says about the dependency."""

    SUCCESS = 0
    FAILURE = 1
    NEUTRAL = 2  # nothing: it is not counted, and gives its permit back


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: with a result, or with an error.

    Parameters
    ----------
    result : what it returned, None where it raised.
    error : what it raised, None where it returned.
    duration_s : how long it took.
    """

    result: Any
    error: Exception | None
    duration_s: float


class FailureDetector(Protocol):
    """Classifies outcomes. Any function of this shape will do."""

    def __call__(self, outcome: Outcome, /) -> Verdict: ...


@dataclass(frozen=True, slots=True)
class _Exceptions:
    include: tuple[type[Exception], ...]
    exclude: tuple[type[Exception], ...]

    def __call__(self, outcome: Outcome, /) -> Verdict:
        if isinstance(outcome.error, self.exclude):
            return Verdict.NEUTRAL
        return Verdict.FAILURE if isinstance(outcome.error, self.include) else Verdict.SUCCESS


@dataclass(frozen=True, slots=True)
class _AnyOf:
    parts: tuple[FailureDetector, ...]

    def __call__(self, outcome: Outcome, /) -> Verdict:
        verdicts = [part(outcome) for part in self.parts]
        if Verdict.FAILURE in verdicts:
            return Verdict.FAILURE
        return Verdict.NEUTRAL if Verdict.NEUTRAL in verdicts else Verdict.SUCCESS


def exceptions(
    *include: type[Exception], exclude: Collection[type[Exception]] = ()
) -> FailureDetector:
    """Errors of these types are failures (none named: all); the excluded ones are neutral.

    An error of any other type is a success: the dependency answered.
    """
    return _Exceptions(include or (Exception,), tuple(exclude))


def statuses(
    *failing: int | range, of: Callable[[Any], int | None] = attrgetter("status_code")
) -> FailureDetector:
    """Results whose HTTP status is one of these are failures.

    Parameters
    ----------
    failing : status codes and ranges of them (``429, range(500, 600)``).
    of : reads the status of a result; None where it has none, which is neutral, as an error is.
        Join with :func:`exceptions` by :func:`any_of` to count errors too.
    """
    codes = frozenset(
        code for part in failing for code in (part if isinstance(part, range) else (part,))
    )

    def classify(outcome: Outcome, /) -> Verdict:
        status = of(outcome.result) if outcome.error is None else None
        if status is None:
            return Verdict.NEUTRAL
        return Verdict.FAILURE if status in codes else Verdict.SUCCESS

    return classify


def slower_than(limit_s: float) -> FailureDetector:
    """Calls that took longer are failures, however they ended."""
    return failure_when(lambda outcome: outcome.duration_s > limit_s)


def failure_when(predicate: Callable[[Outcome], bool]) -> FailureDetector:
    """Outcomes that the predicate is true of are failures, all others successes."""
    return lambda outcome, /: Verdict.FAILURE if predicate(outcome) else Verdict.SUCCESS


def any_of(*parts: FailureDetector) -> FailureDetector:
    """A failure where one part says so."""
    return _AnyOf(parts)


def all_of(*parts: FailureDetector) -> FailureDetector:
    """A failure where every part says so."""

    def classify(outcome: Outcome, /) -> Verdict:
        verdicts = [part(outcome) for part in parts]
        if Verdict.SUCCESS in verdicts:
            return Verdict.SUCCESS
        return Verdict.NEUTRAL if Verdict.NEUTRAL in verdicts else Verdict.FAILURE

    return classify


def not_(part: FailureDetector) -> FailureDetector:
    """Failure and success exchanged; neutral stays."""
    opposite = {
        Verdict.FAILURE: Verdict.SUCCESS,
        Verdict.SUCCESS: Verdict.FAILURE,
        Verdict.NEUTRAL: Verdict.NEUTRAL,
    }
    return lambda outcome, /: opposite[part(outcome)]


def classifies_results(detector: FailureDetector) -> bool:
    """Whether a call that returned may be anything but a success, so that it has to be asked."""
    if isinstance(detector, _AnyOf):
        return any(classifies_results(part) for part in detector.parts)
    return not isinstance(detector, _Exceptions)
