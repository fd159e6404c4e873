"""What a NATS server must have before batches are trusted to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog
from nats.errors import NoRespondersError
from nats.js.errors import APIError, ServiceUnavailableError

from aetherops.errors import InvalidInputError

if TYPE_CHECKING:
    from aetherops.connections.nats import Nats

__all__ = ["check_server"]

#: A batch of the most samples in the most usual shape needs half of it.
_PAYLOAD_BYTES = 8 * 2**20
_NOT_ENABLED = (10039, 10076)

_log = structlog.get_logger(__name__)


async def check_server(nats: Nats) -> None:
    """Name what is missing, at the start rather than at the first batch.

    Raises
    ------
    InvalidInputError
        JetStream is not enabled, there or for this account.
    """
    if nats.client.max_payload < _PAYLOAD_BYTES:
        # Smaller batches pass; larger ones are refused with this limit.
        _log.warning("payload_limited", bytes=nats.client.max_payload, usual=_PAYLOAD_BYTES)
    async with nats.guarded():
        try:
            await nats.js.account_info()
        except (ServiceUnavailableError, NoRespondersError, APIError) as error:
            code = getattr(error, "err_code", None)
            if code is not None and code not in _NOT_ENABLED:
                raise
            expected = "a server with JetStream, enabled for this account"
            raise InvalidInputError("AETHEROPS_NATS_URL", "one without", expected) from error
