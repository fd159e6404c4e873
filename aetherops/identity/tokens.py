"""Bearer tokens: JWTs of the access-token profile (RFC 9068), checked as RFC 8725 advises.

Each key has one algorithm (the instance's own: EdDSA over Ed25519); nothing in a token's header
chooses anything but which of the known keys is tried.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import jwt

from aetherops.errors import InvalidInputError, UnauthenticatedError
from aetherops.identity.operators import Operator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aetherops.identity.keys import SigningKey, VerifyingKey
    from aetherops.identity.provider_keys import Provider

__all__ = ["AUDIENCE", "ISSUER", "TokenIssuer", "TokenVerifier"]

ISSUER = "aetherops"
AUDIENCE = "aetherops-api"

_ALGORITHM = "EdDSA"
_TYPE = "at+jwt"
_REQUIRED = ["iss", "aud", "exp", "iat", "sub"]
_LEEWAY_S = 30
_MAX_TOKEN_LENGTH = 8192
_CACHED_S = 60.0
_CACHED_TOKENS = 4096
_LAST_TIME_S = 1e12


class TokenIssuer:
    """Signs tokens.

    Parameters
    ----------
    key : signs, and is named in the token's header.
    issuer, audience : who issues, and for whom; the verifier asks for the same.
    """

    def __init__(self, key: SigningKey, issuer: str = ISSUER, audience: str = AUDIENCE) -> None:
        self._key = key
        self._issuer = issuer
        self._audience = audience

    def issue(self, operator: Operator, lifetime_s: float, now: float) -> str:
        """A token that says who bears it.

        Parameters
        ----------
        lifetime_s : seconds until it expires, more than 0.
        now : seconds since 1970.
        """
        if lifetime_s <= 0:
            raise InvalidInputError("lifetime_s", lifetime_s, "more than 0 seconds")
        claims = {
            "iss": self._issuer,
            "aud": self._audience,
            "sub": operator.operator_id,
            "iat": int(now),
            "exp": int(now + lifetime_s),
            "jti": uuid4().hex,
            "name": operator.name,
            "roles": sorted(operator.roles),
            "clearance": operator.clearance,
        }
        header = {"typ": _TYPE, "kid": self._key.verifying_key.key_id}
        return jwt.encode(claims, self._key.private, algorithm=_ALGORITHM, headers=header)


class TokenVerifier:
    """Checks tokens and says whose they are.

    A checked token is remembered by its hash for at most a minute, never past its expiry:
    a signature check costs as much as a small request.

    Parameters
    ----------
    keys : the keys that are trusted.
    issuer, audience : what tokens signed by these must state.
    clock : seconds since 1970.
    provider : an identity provider whose tokens are accepted too.
    """

    def __init__(
        self,
        keys: Iterable[VerifyingKey],
        issuer: str = ISSUER,
        audience: str = AUDIENCE,
        clock: Callable[[], float] = time.time,
        provider: Provider | None = None,
    ) -> None:
        self._keys = {key.key_id: key.public for key in keys}
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._provider = provider
        self._checked: OrderedDict[bytes, tuple[float, float, Operator]] = OrderedDict()

    def verify(self, token: str) -> Operator:
        """The operator whose token this is.

        Raises
        ------
        UnauthenticatedError
            The token is malformed, not signed by a known key, for somebody else, not valid
            yet, or expired. The message says which, and nothing of the token.
        UnavailableError
            It may be signed by a provider's key that is yet to be read.
        """
        if len(token) > _MAX_TOKEN_LENGTH:
            raise UnauthenticatedError("the token is too long")
        now = self._clock()
        name = sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._checked.get(name)
        if known is not None and known[0] <= now < known[1]:
            self._checked.move_to_end(name)
            return known[2]
        self._checked.pop(name, None)
        claims = self._claims(token)
        _check_times(claims, now)
        operator = _operator(claims)
        self._remember(name, now, min(now + _CACHED_S, float(claims["exp"])), operator)
        return operator

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            header = jwt.get_unverified_header(token)
            if str(header.get("typ", "")).lower() not in (_TYPE, f"application/{_TYPE}"):
                raise UnauthenticatedError(f"the token is not of the type {_TYPE}")
            key, algorithm, issuer, audience = self._trust(str(header.get("kid")))
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                issuer=issuer,
                audience=audience,
                # Times are checked against the clock that was passed in.
                options={
                    "require": _REQUIRED,
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                },
            )
        except jwt.InvalidTokenError as error:
            raise UnauthenticatedError(_reason(error)) from error

    def _trust(self, key_id: str) -> tuple[Any, str, str, str]:
        """The key of this name, its algorithm, and what its tokens must state."""
        key = self._keys.get(key_id)
        if key is not None:
            return key, _ALGORITHM, self._issuer, self._audience
        if self._provider is None:
            raise UnauthenticatedError("the token is not signed by a known key")
        found = self._provider.keys.find(key_id)
        return found.key, found.algorithm_name, self._provider.issuer, self._provider.audience

    def _remember(self, name: bytes, start: float, end: float, operator: Operator) -> None:
        self._checked[name] = (start, end, operator)
        while len(self._checked) > _CACHED_TOKENS:
            self._checked.popitem(last=False)


def _reason(error: jwt.InvalidTokenError) -> str:
    """Why a token was refused, in words that tell nothing of keys or content."""
    match error:
        case jwt.MissingRequiredClaimError():
            return f"the token lacks the claim {error.claim}"
        case jwt.InvalidIssuerError():
            return "the token comes from another issuer"
        case jwt.InvalidAudienceError():
            return "the token is meant for another audience"
        case jwt.InvalidSignatureError() | jwt.InvalidAlgorithmError():
            return "the token is not signed by a known key"
    return "the token is malformed"


def _check_times(claims: dict[str, Any], now: float) -> None:
    for claim in ("exp", "iat", "nbf"):
        value = claims.get(claim, 0)
        # The upper bound also refuses infinity, and NaN, which no comparison accepts.
        if type(value) not in (int, float) or not 0 <= value < _LAST_TIME_S:
            raise UnauthenticatedError(f"the token's {claim} is no time")
    if now >= claims["exp"] + _LEEWAY_S:
        raise UnauthenticatedError("the token has expired")
    if max(claims["iat"], claims.get("nbf", 0)) > now + _LEEWAY_S:
        raise UnauthenticatedError("the token is not valid yet")


def _operator(claims: dict[str, Any]) -> Operator:
    subject, name = claims["sub"], claims.get("name", "")
    roles, clearance = claims.get("roles", []), claims.get("clearance", 0)
    well_formed = (
        isinstance(subject, str)
        and isinstance(name, str)
        and isinstance(roles, list)
        and all(isinstance(role, str) for role in roles)
        and isinstance(clearance, int)
    )
    try:
        if well_formed:
            return Operator(subject, name or subject, frozenset(roles), clearance)
    except InvalidInputError:
        pass
    raise UnauthenticatedError("the token's claims name no operator")
