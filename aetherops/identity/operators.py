"""Operators and what their roles permit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from aetherops.errors import ForbiddenError, InvalidInputError

__all__ = ["Operator", "Permission"]

Permission = Literal["read", "write", "execute", "admin"]

_READ: frozenset[Permission] = frozenset({"read"})
_OPERATE: frozenset[Permission] = frozenset({"read", "write", "execute"})
_ALL: frozenset[Permission] = frozenset({"read", "write", "execute", "admin"})
_PERMISSIONS_BY_ROLE: dict[str, frozenset[Permission]] = {
    "admin": _ALL,
    "flight-director": _ALL,
    "operator": _OPERATE,
    "engineer": _OPERATE,
}
_MAX_TEXT_LENGTH = 128
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@dataclass(frozen=True, slots=True)
class Operator:
    """A person or program that may ask.

    Parameters
    ----------
    operator_id : stable, unique, not empty.
    name : for people to read.
    roles : lower case. ``admin`` and ``flight-director`` may do everything, ``operator`` and
        ``engineer`` may read, write and execute, any other role may read; no role, nothing.
    clearance : level from 0 upwards.

    Raises
    ------
    InvalidInputError
        The id is empty, too long or has a control character, or the clearance is negative.
    """

    operator_id: str
    name: str
    roles: frozenset[str]
    clearance: int = 0

    def __post_init__(self) -> None:
        if not 0 < len(self.operator_id) <= _MAX_TEXT_LENGTH or _CONTROL.search(self.operator_id):
            expected = f"1 to {_MAX_TEXT_LENGTH} characters, none of them a control character"
            raise InvalidInputError("operator_id", self.operator_id, expected)
        if self.clearance < 0:
            raise InvalidInputError("clearance", self.clearance, "0 or more")
        object.__setattr__(self, "roles", frozenset(role.lower() for role in self.roles))

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything that at least one of the roles permits."""
        return frozenset().union(*(_PERMISSIONS_BY_ROLE.get(role, _READ) for role in self.roles))

    def can(self, permission: Permission) -> bool:
        """Whether a role permits this."""
        return permission in self.permissions

    def require(self, permission: Permission) -> None:
        """Raise `ForbiddenError` unless a role permits this."""
        if not self.can(permission):
            roles = ", ".join(sorted(self.roles)) or "no role"
            raise ForbiddenError(f"this needs the permission {permission!r}; you have {roles}")
