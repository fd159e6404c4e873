"""Telemetry in over HTTP: batches, and receipts of what was stored."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

from aetherops.api.admission import OperatorMeter
from aetherops.api.http.authentication import authenticate
from aetherops.api.http.bodies import JSON_TYPE, parse_json, read_body, sent_type
from aetherops.api.http.json_responses import OrjsonResponse
from aetherops.api.telemetry.json_batches import decode_json_batch, uuid_from_json
from aetherops.archive.codec import MEDIA_TYPE, decode_batch, with_encoding
from aetherops.errors import InvalidInputError, LimitExceededError
from aetherops.services.ingest import TelemetryIngest

if TYPE_CHECKING:
    from starlette.requests import Request

    from aetherops.api.services import ApiServices
    from aetherops.archive.samples import SampleBatch

__all__ = ["IngestEndpoint"]

_MAX_RECEIPTS = 1000
# Up to this, some 2 ms of reading, a thread would cost more than it spares others.
_INLINE_BYTES = 128 * 1024


class IngestEndpoint:
    """``POST /v1/telemetry`` and ``POST /v1/receipts``."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._ingest = TelemetryIngest(services.intake, services.store)

    async def accept_batch(self, request: Request) -> OrjsonResponse:
        """Put a batch on the queue: 202 means that it is kept and will be stored."""
        operator = authenticate(request, self._services.verifier, "write")
        media_type = sent_type(request, (JSON_TYPE, MEDIA_TYPE))
        body = await read_body(request, self._services.settings.max_request_bytes)
        batch = await _decode(body, media_type)
        meter = OperatorMeter(self._services.admission.ingest, operator.operator_id)
        await self._ingest.accept(batch, meter)
        self._services.metrics.accepted_samples.inc(len(batch))
        content = {"batch": str(batch.batch_id), "samples": len(batch)}
        return OrjsonResponse(content, 202, meter.headers)

    async def list_receipts(self, request: Request) -> OrjsonResponse:
        """Receipts of those of the asked batches that are stored or refused by now."""
        authenticate(request, self._services.verifier, "write")
        sent_type(request, (JSON_TYPE,))
        body = await read_body(request, self._services.settings.max_request_bytes)
        receipts = await self._ingest.receipts(_batch_ids(parse_json(body)))
        return OrjsonResponse(
            {
                "receipts": [
                    {
                        "batch": str(receipt.batch_id),
                        "stored": receipt.stored,
                        "duplicates": receipt.duplicates,
                        "corrected": receipt.corrected,
                    }
                    | ({} if receipt.refused is None else {"refused": receipt.refused})
                    for receipt in receipts
                ]
            }
        )


async def _decode(body: bytes, media_type: str) -> SampleBatch:
    decode = decode_batch if media_type == MEDIA_TYPE else decode_json_batch
    if len(body) <= _INLINE_BYTES:
        return decode(body)
    # The queue will ask for its encoding: that is made beside the loop too.
    return await asyncio.to_thread(lambda: with_encoding(decode(body)))


def _batch_ids(document: object) -> list[UUID]:
    batches = document.get("batches") if isinstance(document, dict) else None
    if not isinstance(batches, list):
        raise InvalidInputError("batches", batches, "a list of UUIDs")
    if len(batches) > _MAX_RECEIPTS:
        raise LimitExceededError("batches in one request", _MAX_RECEIPTS, len(batches))
    return [uuid_from_json(item, f"batches[{i}]") for i, item in enumerate(batches)]
