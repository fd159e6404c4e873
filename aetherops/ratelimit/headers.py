"""HTTP fields that tell a client its limits.

``RateLimit-Policy`` and ``RateLimit`` are those of draft-ietf-httpapi-ratelimit-headers-10, and
``Retry-After`` that of RFC 9110 §10.2.3. The draft may change; nothing else formats them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from aetherops.errors import InvalidInputError
from aetherops.ratelimit.decision import Decision
from aetherops.ratelimit.errors import RateLimitedError
from aetherops.ratelimit.state import Limit

__all__ = ["limit_fields", "policy_field", "refusal_fields", "retry_after_field"]

_POLICY_NAME = re.compile(r"[ !#-\[\]-~]{1,64}")
_SECOND_US = 1_000_000
_NEVER_S = 86_400


def policy_field(name: str, limits: Sequence[Limit]) -> str:
    """The ``RateLimit-Policy`` of limits: quota and window in seconds, rounded up.

    >>> policy_field("default", [WindowLimit(100, 60_000_000)])
    '"default";q=100;w=60'

    Raises
    ------
    InvalidInputError
        The name is no quoted ASCII text of up to 64 characters.
    """
    _check_name(name)
    items = [
        f'"{_numbered(name, i)}";q={limit.quota};w={_ceil_seconds(limit.window_us)}'
        for i, limit in enumerate(limits)
    ]
    return ", ".join(items)


def limit_fields(name: str, decision: Decision) -> dict[str, str]:
    """``RateLimit`` of a decision, and ``Retry-After`` where it refused.

    Parameters
    ----------
    name : the policy's, as in ``policy_field``.
    """
    _check_name(name)
    wait_us = decision.reset_after_us if decision.allowed else decision.retry_after_us
    reset_s = _NEVER_S if wait_us is None else _ceil_seconds(wait_us)
    fields = {"RateLimit": f'"{name}";r={decision.remaining};t={reset_s}'}
    if not decision.allowed:
        fields["Retry-After"] = retry_after_field(decision)
    return fields


def refusal_fields(error: RateLimitedError) -> dict[str, str]:
    """All fields of an answer that refuses: the policy, what is left of it, when to come again."""
    fields = limit_fields(error.policy, error.decision)
    if error.limits:
        fields["RateLimit-Policy"] = policy_field(error.policy, error.limits)
    return fields


def retry_after_field(decision: Decision) -> str:
    """``Retry-After`` in whole seconds, at least 1; a day where waiting never helps."""
    if decision.retry_after_us is None:
        return str(_NEVER_S)
    return str(max(_ceil_seconds(decision.retry_after_us), 1))


def _check_name(name: str) -> None:
    if not _POLICY_NAME.fullmatch(name):
        raise InvalidInputError("policy name", name, "1 to 64 printable ASCII characters, unquoted")


def _numbered(name: str, i: int) -> str:
    return name if i == 0 else f"{name}-{i + 1}"


def _ceil_seconds(us: int) -> int:
    return -(-us // _SECOND_US)
