"""Operators' sessions."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from aetherops.errors import InvalidInputError
from aetherops.identity.operators import Operator
from aetherops.services.identity import (
    OperatorContext,
    authorize_intent,
    derive_context,
    has_role,
    list_permissions,
    validate_session,
)

EVERYTHING = ["read", "write", "execute", "admin"]


def context(*roles: str, clearance: int = 3, mfa: bool = False) -> OperatorContext:
    return derive_context("op-1", "Ada", roles, clearance, mfa)


def test_a_context_is_an_operator_with_a_second_factor() -> None:
    derived = derive_context("op-1", "Ada", ["engineer"], 2, True)
    assert derived == OperatorContext("op-1", "Ada", frozenset({"engineer"}), 2, mfa_verified=True)
    assert isinstance(derived, Operator)
    assert derived.mfa_verified is True


def test_the_second_factor_is_not_taken_for_granted() -> None:
    assert derive_context("op-1", "Ada", ["engineer"], 2).mfa_verified is False
    assert OperatorContext("op-1", "Ada", frozenset({"engineer"}), 2).mfa_verified is False


def test_a_context_cannot_be_changed_not_even_through_its_roles() -> None:
    roles = ["operator"]
    derived = derive_context("op-1", "Ada", roles, 2)
    roles.append("admin")
    assert not has_role(derived, "admin")
    with pytest.raises(FrozenInstanceError):
        derived.clearance = 9  # type: ignore[misc]


def test_one_text_is_no_list_of_roles() -> None:
    with pytest.raises(InvalidInputError, match="roles"):
        derive_context("op-1", "Ada", "admin", 2)


@pytest.mark.parametrize(("required", "granted"), [(2, True), (3, True), (4, False)])
def test_clearance_must_reach_what_is_required(required: int, granted: bool) -> None:
    assert authorize_intent(context("admin"), required) is granted


@pytest.mark.parametrize("mfa", [False, True])
def test_a_second_factor_is_asked_for_only_where_required(mfa: bool) -> None:
    operator = context("admin", mfa=mfa)
    assert authorize_intent(operator, 3) is True
    assert authorize_intent(operator, 3, requires_mfa=True) is mfa
    assert authorize_intent(operator, 4, requires_mfa=True) is False


def test_roles_are_the_same_in_upper_and_lower_case() -> None:
    operator = context("Flight-Director")
    assert has_role(operator, "flight-director")
    assert has_role(operator, "FLIGHT-DIRECTOR")
    assert not has_role(operator, "flight")
    assert list_permissions(operator) == EVERYTHING


def test_a_session_may_idle_up_to_the_limit() -> None:
    assert validate_session(context("viewer"), 60, 60) is True
    assert validate_session(context("viewer"), 60, 60.1) is False


def test_a_session_needs_a_role() -> None:
    assert validate_session(context(), 60, 0) is False


@pytest.mark.parametrize(
    ("roles", "permissions"),
    [
        (["admin"], EVERYTHING),
        (["flight-director"], EVERYTHING),
        (["operator"], ["read", "write", "execute"]),
        (["engineer"], ["read", "write", "execute"]),
        (["viewer"], ["read"]),
        (["viewer", "guest", "engineer", "operator"], ["read", "write", "execute"]),
        (["operator", "admin"], EVERYTHING),
        ([], []),
    ],
)
def test_permissions_of_all_roles_are_listed_once(roles: list[str], permissions: list[str]) -> None:
    assert list_permissions(context(*roles)) == permissions
