"""Choosing a region, and the steps of moving there."""

from __future__ import annotations

from hypothesis import given, strategies as st

from aetherops.resilience import FailoverCoordinator, choose_failover_region

regions = st.sampled_from(["eu", "us", "asia", "africa"])


def test_the_first_healthy_candidate_is_chosen() -> None:
    assert choose_failover_region("eu", ["eu", "us", "asia"], ["us"]) == "asia"
    assert choose_failover_region("eu", ["us", "asia"], []) == "us"


def test_without_one_the_primary_stays() -> None:
    assert choose_failover_region("eu", ["eu", "us"], ["us"]) == "eu"
    assert choose_failover_region("eu", [], []) == "eu"
    assert choose_failover_region("eu", ["us"], ["us", "eu"]) == "eu"


@given(regions, st.lists(regions), st.lists(regions))
def test_any_iterables_give_the_same_choice(
    primary: str, candidates: list[str], degraded: list[str]
) -> None:
    usable = [one for one in candidates if one != primary and one not in degraded]
    expected = usable[0] if usable else primary
    assert choose_failover_region(primary, iter(candidates), iter(degraded)) == expected


def probing(*outcomes: bool) -> FailoverCoordinator:
    coordinator = FailoverCoordinator()
    assert coordinator.begin_probe()
    for ok in outcomes:
        assert coordinator.record_probe(ok)
    return coordinator


def test_a_failover_runs_from_idle_to_active_and_back() -> None:
    coordinator = FailoverCoordinator()
    states = [coordinator.state]
    for step in (
        coordinator.begin_probe,
        lambda: coordinator.record_probe(True),
        coordinator.commit_switch,
        coordinator.activate,
        coordinator.deactivate,
    ):
        assert step() is True
        states.append(coordinator.state)
    assert states == ["idle", "probing", "probing", "switching", "active", "idle"]


def test_a_switch_needs_one_successful_probe() -> None:
    assert probing().commit_switch() is False
    assert probing(False, False).commit_switch() is False
    assert probing(False, True, False).commit_switch() is True


def test_a_success_of_an_earlier_round_does_not_count() -> None:
    coordinator = probing(True)
    assert coordinator.commit_switch()
    assert coordinator.activate()
    assert coordinator.deactivate()
    assert coordinator.begin_probe()
    assert coordinator.probe_results == []
    assert coordinator.commit_switch() is False


def test_failed_probes_are_errors_and_three_are_unhealthy() -> None:
    coordinator = probing(False, True, False)
    assert (coordinator.error_count, coordinator.is_healthy()) == (2, True)
    coordinator.record_probe(False)
    assert (coordinator.error_count, coordinator.is_healthy()) == (3, False)
    assert coordinator.probe_results == [False, True, False, False]


def test_deactivating_clears_the_errors_and_nothing_else_does() -> None:
    coordinator = probing(False, False, False, True)
    coordinator.commit_switch()
    coordinator.activate()
    assert coordinator.error_count == 3
    coordinator.deactivate()
    assert (coordinator.error_count, coordinator.is_healthy()) == (0, True)


def test_the_results_given_are_independent() -> None:
    coordinator = probing(False)
    coordinator.probe_results.append(True)
    assert coordinator.commit_switch() is False


STEPS = {
    "begin_probe": ("idle", "probing"),
    "commit_switch": ("probing", "switching"),
    "activate": ("switching", "active"),
    "deactivate": ("active", "idle"),
}


@given(st.lists(st.sampled_from([*STEPS, "good probe", "bad probe"]), max_size=50))
def test_a_step_out_of_its_turn_changes_nothing(steps: list[str]) -> None:
    coordinator = FailoverCoordinator()
    state, errors = "idle", 0
    results: list[bool] = []
    for step in steps:
        if step.endswith("probe") and step not in STEPS:
            ok, taken = step == "good probe", state == "probing"
            assert coordinator.record_probe(ok) is taken
            if taken:
                results = [*results, ok]
                errors += not ok
        else:
            start, end = STEPS[step]
            taken = state == start and (step != "commit_switch" or any(results))
            assert getattr(coordinator, step)() is taken
            if taken:
                state = end
                results = [] if step == "begin_probe" else results
                errors = 0 if step == "deactivate" else errors
        assert (coordinator.state, coordinator.error_count) == (state, errors)
        assert coordinator.probe_results == results
