"""Keys that an identity provider publishes as a JSON Web Key Set (RFC 7517)."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from aetherops.errors import InvalidInputError, UnauthenticatedError, UnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["Provider", "ProviderKeys"]

_ALGORITHMS = {"OKP": "EdDSA", "EC": "ES256", "RSA": "RS256"}
_CURVES = {"OKP": "Ed25519", "EC": "P-256"}
_RSA_BITS = 2048
_MAX_KEYS = 64
_READ_AGAIN_S = 10.0
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, RecursionError)


class ProviderKeys:
    """A provider's public keys, as they were read last.

    Nothing here waits for the provider: whoever keeps the keys fresh listens to ``on_wanted``.

    Parameters
    ----------
    max_age_s : seconds after which keys that could not be read again are trusted no more.
    clock : monotonic seconds.
    """

    def __init__(self, max_age_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.on_wanted: Callable[[], object] = lambda: None
        self._max_age_s = max_age_s
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._read_at: float | None = None

    def replace(self, document: bytes) -> int:
        """Trust the keys of a newly read set, and no others; how many they are.

        Keys for other algorithms than EdDSA (Ed25519), ES256 and RS256 (from 2,048 bits) are passed
        over, as are those that are not for signatures.

        Raises
        ------
        InvalidInputError
            This is no key set, or one without a usable key; the keys before it are kept.
        """
        try:
            listed = json.loads(document)["keys"][:_MAX_KEYS]
            keys = {str(entry["kid"]): _key(entry) for entry in listed if _is_usable(entry)}
        except (*_MALFORMED, jwt.PyJWTError) as error:
            raise InvalidInputError("key set", type(error).__name__, "a JWKS document") from error
        keys = {kid: key for kid, key in keys.items() if _is_strong(key)}
        if not keys:
            raise InvalidInputError("key set", 0, "one or more keys for EdDSA, ES256 or RS256")
        self._keys = keys
        self._read_at = self._clock()
        return len(keys)

    def find(self, key_id: str) -> jwt.PyJWK:
        """The key of this name.

        Raises
        ------
        UnavailableError
            Keys were never read, or too long ago; or this one may be so new that they are read
            again first.
        UnauthenticatedError
            The provider has no such key.
        """
        age_s = self._max_age_s if self._read_at is None else self._clock() - self._read_at
        key = self._keys.get(key_id)
        if key is not None and age_s < self._max_age_s:
            return key
        if age_s < _READ_AGAIN_S:
            raise UnauthenticatedError("the token is not signed by a known key")
        self.on_wanted()
        raise UnavailableError("jwks", retry_after_s=1.0)


@dataclass(frozen=True, slots=True)
class Provider:
    """Whose tokens are accepted beside the instance's own.

    Parameters
    ----------
    keys : what the provider signs with.
    issuer, audience : what its tokens must state.
    """

    keys: ProviderKeys
    issuer: str
    audience: str


def _is_usable(entry: Mapping[str, Any]) -> bool:
    kind = entry.get("kty")
    return (
        kind in _ALGORITHMS
        and "kid" in entry
        and entry.get("use", "sig") == "sig"
        and entry.get("alg", _ALGORITHMS[kind]) == _ALGORITHMS[kind]
        and entry.get("crv") == _CURVES.get(kind)
    )


def _key(entry: Mapping[str, Any]) -> jwt.PyJWK:
    return jwt.PyJWK.from_dict(dict(entry), algorithm=_ALGORITHMS[entry["kty"]])


def _is_strong(key: jwt.PyJWK) -> bool:
    return not isinstance(key.key, RSAPublicKey) or key.key.key_size >= _RSA_BITS
