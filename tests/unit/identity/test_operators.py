"""What roles permit."""

import pytest

from aetherops.errors import ForbiddenError, InvalidInputError
from aetherops.identity.operators import Operator


def operator(*roles: str) -> Operator:
    return Operator("op-7", "Ada", frozenset(roles))


@pytest.mark.parametrize(
    ("role", "permissions"),
    [
        ("admin", {"read", "write", "execute", "admin"}),
        ("flight-director", {"read", "write", "execute", "admin"}),
        ("operator", {"read", "write", "execute"}),
        ("engineer", {"read", "write", "execute"}),
        ("observer", {"read"}),
    ],
)
def test_a_role_has_its_permissions(role, permissions):
    assert operator(role).permissions == permissions


def test_several_roles_add_up():
    assert operator("observer", "engineer").permissions == {"read", "write", "execute"}


def test_without_a_role_nothing_is_permitted():
    assert not operator().can("read")


def test_roles_are_compared_without_case():
    assert operator("Flight-Director").can("admin")


def test_a_missing_permission_is_named_with_the_roles():
    with pytest.raises(ForbiddenError, match=r"'write'; you have observer"):
        operator("observer").require("write")


@pytest.mark.parametrize("operator_id", ["", "x" * 129, "a\x00b", "a\nb", "a\x9bb"])
def test_an_operator_has_an_id_of_sensible_length_without_control_characters(operator_id):
    with pytest.raises(InvalidInputError, match="operator_id"):
        Operator(operator_id, "Ada", frozenset())


def test_a_clearance_is_not_negative():
    with pytest.raises(InvalidInputError, match="clearance"):
        Operator("op-7", "Ada", frozenset(), -1)
