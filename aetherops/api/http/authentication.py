"""From a bearer token to an operator who may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.errors import UnauthenticatedError

if TYPE_CHECKING:
    from starlette.requests import Request

    from aetherops.identity.operators import Operator, Permission
    from aetherops.identity.tokens import TokenVerifier

__all__ = ["authenticate"]


def authenticate(request: Request, verifier: TokenVerifier, permission: Permission) -> Operator:
    """The operator whose token the request bears.

    Raises
    ------
    UnauthenticatedError
        There is no bearer token, or it proves nothing.
    ForbiddenError
        The operator lacks the permission.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise UnauthenticatedError("send a token: Authorization: Bearer …")
    operator = verifier.verify(token.strip())
    request.state.operator_id = operator.operator_id
    operator.require(permission)
    return operator
