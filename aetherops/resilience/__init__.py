"""What keeps the platform up when a part of it fails: retries, failover, replay, breakers."""

from aetherops.resilience.backoff import retry_backoff
from aetherops.resilience.breaker import Breaker
from aetherops.resilience.circuit_breaker import CircuitBreaker
from aetherops.resilience.detectors import (
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
from aetherops.resilience.errors import BreakerOpenError, IllegalTransitionError
from aetherops.resilience.events import CallEvent, CallKind, Counts, TransitionEvent
from aetherops.resilience.failover import FailoverCoordinator, choose_failover_region
from aetherops.resilience.fallback import with_fallback
from aetherops.resilience.machine import CircuitBreakerStateMachine, Permit
from aetherops.resilience.metrics import Measurement, measure
from aetherops.resilience.outage import classify_outage
from aetherops.resilience.policy import BreakerPolicy, CountWindow, TimeWindow
from aetherops.resilience.registry import BreakerRegistry
from aetherops.resilience.replay import (
    ReplayBuffer,
    deduplicate,
    replay_budget,
    replay_converges,
)
from aetherops.resilience.retry import Retry
from aetherops.resilience.snapshot import BreakerSnapshot, Totals
from aetherops.resilience.states import TRANSITIONS, Override, State, Trigger

__all__ = [
    "TRANSITIONS",
    "Breaker",
    "BreakerOpenError",
    "BreakerPolicy",
    "BreakerRegistry",
    "BreakerSnapshot",
    "CallEvent",
    "CallKind",
    "CircuitBreaker",
    "CircuitBreakerStateMachine",
    "CountWindow",
    "Counts",
    "FailoverCoordinator",
    "FailureDetector",
    "IllegalTransitionError",
    "Measurement",
    "Outcome",
    "Override",
    "Permit",
    "ReplayBuffer",
    "Retry",
    "State",
    "TimeWindow",
    "Totals",
    "TransitionEvent",
    "Trigger",
    "Verdict",
    "all_of",
    "any_of",
    "choose_failover_region",
    "classify_outage",
    "deduplicate",
    "exceptions",
    "failure_when",
    "measure",
    "not_",
    "replay_budget",
    "replay_converges",
    "retry_backoff",
    "slower_than",
    "statuses",
    "with_fallback",
]
