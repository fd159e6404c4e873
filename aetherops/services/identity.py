"""Sessions of operators, and what they may ask for.

What a role permits is decided in one place, `aetherops.identity.operators`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, get_args

from aetherops.errors import InvalidInputError
from aetherops.identity.operators import Operator, Permission

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "OperatorContext",
    "authorize_intent",
    "derive_context",
    "has_role",
    "list_permissions",
    "validate_session",
]


@dataclass(frozen=True, slots=True)
class OperatorContext(Operator):
    """An `Operator` in a session; immutable.

    Parameters
    ----------
    mfa_verified : whether a second factor was shown in this session.
    """

    mfa_verified: bool = False


def derive_context(
    operator_id: str, name: str, roles: Iterable[str], clearance: int, mfa_done: bool = False
) -> OperatorContext:
    """The context of an operator's session.

    Parameters
    ----------
    operator_id, name, clearance : as of `Operator`.
    roles : any iterable of names; upper and lower case are the same role.
    mfa_done : whether a second factor was shown.

    Raises
    ------
    InvalidInputError
        The roles are one text, the id is empty or too long, or the clearance negative.
    """
    if isinstance(roles, str):
        raise InvalidInputError("roles", roles, "a list of role names")
    return OperatorContext(operator_id, name, frozenset(roles), clearance, mfa_done)


def authorize_intent(
    context: OperatorContext, required_clearance: int, requires_mfa: bool = False
) -> bool:
    """Whether the clearance is at least the required one, with a second factor where required."""
    return context.clearance >= required_clearance and (context.mfa_verified or not requires_mfa)


def has_role(context: OperatorContext, role: str) -> bool:
    """Whether the operator has a role, in upper or lower case."""
    return role.lower() in context.roles


def validate_session(context: OperatorContext, max_idle_s: float, idle_s: float) -> bool:
    """Whether a session idle for `idle_s` may go on: at most `max_idle_s`, and some role."""
    return idle_s <= max_idle_s and bool(context.roles)


def list_permissions(context: OperatorContext) -> list[str]:
    """What the roles permit together, each once, in the order read, write, execute, admin."""
    return [one for one in get_args(Permission) if one in context.permissions]
