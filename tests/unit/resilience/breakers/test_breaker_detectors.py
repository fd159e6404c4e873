"""Detectors: exceptions, statuses, durations, and what they make together."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

import pytest

from aetherops.resilience import (
    FailureDetector,
    Outcome,
    Verdict,
    all_of,
    any_of,
    exceptions,
    failure_when,
    not_,
    slower_than,
    statuses,
)
from aetherops.resilience.breakers.detectors import classifies_results

SUCCESS, FAILURE, NEUTRAL = Verdict


def returned(result: object = None, duration_s: float = 0.0) -> Outcome:
    return Outcome(result, None, duration_s)


def raised(error: Exception, duration_s: float = 0.0) -> Outcome:
    return Outcome(None, error, duration_s)


def always(verdict: Verdict) -> FailureDetector:
    return lambda _: verdict


def test_by_default_every_exception_is_a_failure() -> None:
    assert exceptions()(raised(ValueError())) is FAILURE
    assert exceptions()(returned()) is SUCCESS


def test_named_exceptions_and_their_subclasses_are_failures_unless_excluded() -> None:
    detector = exceptions(OSError, TimeoutError, exclude=[FileNotFoundError])
    assert detector(raised(ConnectionResetError())) is FAILURE
    assert detector(raised(FileNotFoundError())) is NEUTRAL
    assert detector(raised(ValueError())) is SUCCESS, "it answered"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (200, SUCCESS),
        (404, SUCCESS),
        (429, FAILURE),
        (500, FAILURE),
        (599, FAILURE),
        (600, SUCCESS),
    ],
)
def test_statuses_and_their_ranges_are_failures(status: int, verdict: Verdict) -> None:
    detector = statuses(429, range(500, 600))
    assert detector(returned(SimpleNamespace(status_code=status))) is verdict


def test_a_status_is_read_as_the_caller_says_and_may_be_missing() -> None:
    detector = statuses(503, of=lambda result: result.get("status"))
    assert detector(returned({"status": 503})) is FAILURE
    assert detector(returned({})) is NEUTRAL
    assert detector(raised(ValueError())) is NEUTRAL


def test_only_what_is_slower_than_the_limit_is_a_failure() -> None:
    assert slower_than(1.0)(returned(duration_s=1.0)) is SUCCESS
    assert slower_than(1.0)(returned(duration_s=1.1)) is FAILURE
    assert slower_than(1.0)(raised(ValueError(), duration_s=1.1)) is FAILURE


def test_a_function_is_a_detector() -> None:
    detector = any_of(exceptions(), failure_when(lambda outcome: outcome.result == b""))
    assert detector(returned(b"")) is FAILURE
    assert detector(returned(b"x")) is SUCCESS
    assert detector(raised(ValueError())) is FAILURE


@pytest.mark.parametrize("parts", list(itertools.product(Verdict, repeat=3)))
def test_combinations_are_kleenes_or_and_not(parts: tuple[Verdict, ...]) -> None:
    # False < unknown < true: "or" is the largest, "and" the smallest, "not" the mirror.
    order = {SUCCESS: 0, NEUTRAL: 1, FAILURE: 2}
    ranks = [order[part] for part in parts]
    detectors = [always(part) for part in parts]
    outcome = returned()
    assert order[any_of(*detectors)(outcome)] == max(ranks)
    assert order[all_of(*detectors)(outcome)] == min(ranks)
    assert [order[not_(detector)(outcome)] for detector in detectors] == [2 - r for r in ranks]


def test_only_detectors_of_errors_alone_need_no_look_at_results() -> None:
    assert not classifies_results(exceptions(OSError))
    assert not classifies_results(any_of(exceptions(OSError), exceptions(ValueError)))
    assert classifies_results(any_of(exceptions(OSError), slower_than(1)))
    assert classifies_results(not_(exceptions()))
    assert classifies_results(always(SUCCESS))
