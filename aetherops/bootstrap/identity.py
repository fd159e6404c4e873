"""Identity: whose tokens are accepted, and the instance's own."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aetherops.identity.keys import SigningKey, load_or_create_key
from aetherops.identity.operators import Operator
from aetherops.identity.provider_keys import Provider, ProviderKeys
from aetherops.identity.tokens import TokenIssuer, TokenVerifier
from aetherops.parts.key_watch import KeyWatch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aetherops.resilience import BreakerRegistry
    from aetherops.runtime.part import Part
    from aetherops.runtime.settings import Settings

__all__ = ["Identity", "identity_of", "issue_token", "provider_of"]

#: Who the token of `aetherops up` speaks for.
_LOCAL_OPERATOR = Operator("local", "local operator", frozenset({"admin"}), clearance=5)


@dataclass(frozen=True, slots=True)
class Identity:
    """What an instance signs with, whom it believes, and the part that keeps that fresh."""

    key: SigningKey
    verifier: TokenVerifier
    parts: Mapping[str, Part]


def identity_of(settings: Settings, breakers: BreakerRegistry) -> Identity:
    """Identity by the key of the data directory, and by a provider's where one is set.

    Raises
    ------
    InvalidInputError
        The key file is of no use, or the provider's key set stands at an address not secure.
    """
    key = load_or_create_key(settings.data_dir / "keys")
    provider, watch = provider_of(settings, breakers)
    verifier = TokenVerifier([key.verifying_key], provider=provider)
    return Identity(key, verifier, {} if watch is None else {"key-watch": watch})


def provider_of(
    settings: Settings, breakers: BreakerRegistry
) -> tuple[Provider, KeyWatch] | tuple[None, None]:
    """Whose tokens are accepted beside the instance's own, and the part that keeps its keys fresh.

    Raises
    ------
    InvalidInputError
        The key set's address is not secure.
    """
    if settings.jwks_url is None or settings.token_issuer is None:
        return None, None
    # Its HTTP client takes a tenth of a whole start to import.
    from aetherops.identity.provider_http import ProviderEndpoint

    endpoint = ProviderEndpoint(settings.jwks_url, breakers.get("jwks"))
    keys = ProviderKeys(settings.jwks_max_age_s)
    provider = Provider(keys, settings.token_issuer, settings.token_audience)
    return provider, KeyWatch(endpoint, keys, settings.jwks_refresh_s)


def issue_token(key: SigningKey, lifetime_s: float, operator: Operator = _LOCAL_OPERATOR) -> str:
    """A bearer token for the API, from the instance's own key."""
    return TokenIssuer(key).issue(operator, lifetime_s, time.time())
