"""What `import aetherops` offers, what it costs, and where each name lives."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import subprocess
import sys
from typing import Any

import pytest

import aetherops

# The whole interface that operators' scripts use, by import path.
INTERFACE = {
    "aetherops.telemetry": """
        moving_average ewma anomaly_score detect_drift zscore_outliers downsample
        aggregate_telemetry_window correlate_streams adaptive_threshold telemetry_health_check
        align_telemetry_timestamps""",
    "aetherops.statistics": """
        percentile trimmed_mean rolling_sla mean variance stddev median exponential_decay_mean
        confidence_interval generate_heatmap ResponseTimeTracker""",
    "aetherops.queue": """
        queue_health estimate_wait_time predict_queue_saturation RateLimiter WeightedQueue QueueItem
        PriorityQueue DrainableQueue SharedCounter EventBuffer BatchAccumulator priority_rebalance
        rebalance_with_history""",
    "aetherops.resilience": """
        retry_backoff choose_failover_region replay_budget classify_outage CircuitBreaker
        deduplicate ReplayBuffer FailoverCoordinator replay_converges""",
    "aetherops.workflow": """
        STATES TRANSITIONS TERMINAL_STATES can_transition is_terminal_state shortest_path
        WorkflowEngine safe_advance MissionPipeline""",
    "aetherops.services.analytics": """
        compute_fleet_health trend_analysis anomaly_report satellite_ranking""",
    "aetherops.services.reporting": """
        rank_incidents compliance_report format_incident_row generate_executive_summary
        mission_report""",
    "aetherops.services.orbit": """
        compute_orbital_period altitude_band orbital_decay_rate predict_conjunction_risk""",
    "aetherops.services.identity": """
        OperatorContext derive_context authorize_intent has_role validate_session
        list_permissions""",
}
NAMES = [(module, name) for module, names in INTERFACE.items() for name in names.split()]

# Run in an interpreter of its own: finds nothing but the standard library and this package, so
# that an import of anything else fails there.
STANDARD_LIBRARY_ALONE = """
import importlib.abc, sys

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top != "aetherops" and top not in sys.stdlib_module_names:
            raise ImportError(f"{name} is not in the standard library")
        return None

sys.meta_path.insert(0, Refuse())
"""


def run(code: str) -> Any:
    """What a fresh interpreter prints, as JSON."""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("module", "name"), NAMES)
def test_each_name_is_importable_from_its_path_and_from_the_package(module: str, name: str) -> None:
    value = getattr(importlib.import_module(module), name)
    assert getattr(aetherops, name) is value
    assert name in dir(aetherops)
    assert name in aetherops.__all__


def test_every_name_of_the_package_exists() -> None:
    for name in aetherops.__all__:
        assert getattr(aetherops, name) is not None


@pytest.mark.parametrize("package", ["aetherops", "aetherops.aggregation", "aetherops.telemetry"])
def test_type_checkers_and_the_interpreter_are_told_the_same_names(package: str) -> None:
    module = importlib.import_module(package)
    for_checkers = {
        alias.name: imported.module
        for block in ast.parse(inspect.getsource(module)).body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
        for imported in block.body
        if isinstance(imported, ast.ImportFrom)
        for alias in imported.names
    }
    assert set(for_checkers) == set(module.__all__)
    for name, source in for_checkers.items():
        assert getattr(module, name) is getattr(importlib.import_module(source or ""), name)
        assert name in dir(module)


def test_the_main_names_of_the_domain_are_names_of_the_package() -> None:
    summary = aetherops.summarize([1.0, 2.0, 3.0], factor=2)
    assert isinstance(summary, aetherops.WindowSummary)
    assert aetherops.TokenBucket(burst_capacity=1, refill_rate=1).allow("agent")
    assert aetherops.Breaker("archive").call(len, "ab") == 2
    assert aetherops.SlidingWindow is aetherops.aggregation.SlidingWindow
    assert issubclass(aetherops.BreakerOpenError, aetherops.UnavailableError)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'aetherops' has no attribute 'nonsense'"):
        aetherops.nonsense  # type: ignore[attr-defined]  # noqa: B018
    assert not hasattr(aetherops, "nonsense")


def test_parts_are_reached_through_the_package_alone() -> None:
    code = """
import aetherops, json
print(json.dumps(aetherops.workflow.shortest_path("review", "failed")))"""
    assert run(code) == ["review", "failed"]


def test_importing_the_package_imports_nothing_else_of_it_nor_beyond_the_standard_library() -> None:
    code = f"""{STANDARD_LIBRARY_ALONE}
import json
before = set(sys.modules)
import aetherops
print(json.dumps(sorted(set(sys.modules) - before)))"""
    loaded = run(code)
    ours = [name for name in loaded if name.startswith("aetherops")]
    assert ours == ["aetherops", "aetherops._lazy", "aetherops._moved"]
    assert {name.partition(".")[0] for name in loaded} <= {"aetherops", *sys.stdlib_module_names}


def test_the_whole_interface_needs_nothing_beyond_the_standard_library() -> None:
    code = f"""{STANDARD_LIBRARY_ALONE}
import json
import aetherops
print(json.dumps([getattr(aetherops, name) is not None for name in aetherops.__all__]))"""
    assert all(run(code))


@pytest.mark.alone
def test_importing_the_package_takes_less_than_thirty_milliseconds() -> None:
    code = """
import json, time
start = time.perf_counter()
import aetherops
print(json.dumps(time.perf_counter() - start))"""
    # The best of several: a busy machine can only make it slower. Measured here: 2 ms.
    assert min(run(code) for _ in range(7)) < 0.030
