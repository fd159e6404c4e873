"""Locks that a forked child finds free.

A child has one thread, and what others of its parent held at the fork nobody will release in it.
What the locks guard is whole at any such moment: it is written at once or not at all.
"""

from __future__ import annotations

import os
from threading import RLock
from typing import Protocol
from weakref import WeakSet

__all__ = ["renew_lock_after_fork"]


class _Locked(Protocol):
    _lock: RLock


_owners: WeakSet[_Locked] = WeakSet()


def renew_lock_after_fork(owner: _Locked) -> None:
    """Give this object another lock in every child that is forked while it lives."""
    _owners.add(owner)


def _renew_all() -> None:
    for owner in list(_owners):
        owner._lock = RLock()


if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
    os.register_at_fork(after_in_child=_renew_all)
