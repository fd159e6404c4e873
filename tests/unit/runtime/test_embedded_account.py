"""As whom PostgreSQL's cluster can be made."""

from __future__ import annotations

import os

import pytest

from aetherops.runtime.embedded.account import new_account, require_a_name
from aetherops.runtime.embedded.child import ServerStartError


def test_a_user_number_without_a_name_is_refused_with_what_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    number = new_account().uid
    monkeypatch.setattr(os, "geteuid", lambda: number)
    with pytest.raises(ServerStartError) as error:
        require_a_name()
    assert f"user number {number} has no name" in str(error.value)
    assert "/etc/passwd" in str(error.value)
    assert "AETHEROPS_POSTGRES_DSN" in str(error.value)


def test_a_user_with_a_name_may_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    require_a_name()
