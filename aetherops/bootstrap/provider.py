"""The identity provider of an instance, where one is set."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aetherops.identity.provider_http import ProviderEndpoint
from aetherops.identity.provider_keys import Provider, ProviderKeys
from aetherops.parts.key_watch import KeyWatch

if TYPE_CHECKING:
    from aetherops.resilience import BreakerRegistry
    from aetherops.runtime.settings import Settings

__all__ = ["provider_of"]


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
    endpoint = ProviderEndpoint(settings.jwks_url, breakers.get("jwks"))
    keys = ProviderKeys(settings.jwks_max_age_s)
    provider = Provider(keys, settings.token_issuer, settings.token_audience)
    return provider, KeyWatch(endpoint, keys, settings.jwks_refresh_s)
