"""What keeps the platform up when a part of it fails: retries, failover, replay, breakers."""

from aetherops._lazy import public_names
from aetherops.resilience.backoff import retry_backoff
from aetherops.resilience.breakers.breaker import Breaker
from aetherops.resilience.breakers.circuit_breaker import CircuitBreaker
from aetherops.resilience.breakers.detectors import (
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
from aetherops.resilience.breakers.errors import BreakerOpenError, IllegalTransitionError
from aetherops.resilience.breakers.events import CallEvent, CallKind, Counts, TransitionEvent
from aetherops.resilience.breakers.machine import CircuitBreakerStateMachine, Permit
from aetherops.resilience.breakers.metrics import Measurement, measure
from aetherops.resilience.breakers.policy import BreakerPolicy, CountWindow, TimeWindow
from aetherops.resilience.breakers.registry import BreakerRegistry
from aetherops.resilience.breakers.snapshot import BreakerSnapshot, Totals
from aetherops.resilience.breakers.states import TRANSITIONS, Override, State, Trigger
from aetherops.resilience.failover import FailoverCoordinator, choose_failover_region
from aetherops.resilience.fallback import with_fallback
from aetherops.resilience.outage import classify_outage
from aetherops.resilience.replay import (
    ReplayBuffer,
    deduplicate,
    replay_budget,
    replay_converges,
)
from aetherops.resilience.retry import Retry

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

__dir__ = public_names(__name__)
