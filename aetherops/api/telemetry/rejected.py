"""Batches that were set aside, over HTTP: for operators with the right ``admin``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import structlog

from aetherops.api.http.authentication import authenticate
from aetherops.api.http.json_responses import OrjsonResponse
from aetherops.errors import InvalidInputError, NotFoundError
from aetherops.instants import to_iso
from aetherops.services.rejected import RejectedControl

if TYPE_CHECKING:
    from starlette.requests import Request

    from aetherops.api.services import ApiServices
    from aetherops.services.rejected import ShownBatch

__all__ = ["RejectedEndpoint"]

_PAGE = 100
_log = structlog.get_logger(__name__)


class RejectedEndpoint:
    """``GET /v1/rejected``, ``GET`` and ``DELETE /v1/rejected/{id}``, ``POST …/{id}/replay``."""

    def __init__(self, services: ApiServices) -> None:
        self._verifier = services.verifier
        self._control = RejectedControl(services.rejected) if services.rejected else None

    async def list_batches(self, request: Request) -> OrjsonResponse:
        """A page of them, those after the query's ``after`` first."""
        control = self._allowed(request)
        after = _number(request.query_params.get("after", "0"), "after")
        page = await control.list(after, _PAGE)
        return OrjsonResponse({"rejected": [_summary(one) for one in page]})

    async def show_batch(self, request: Request) -> OrjsonResponse:
        """One of them, with its series."""
        shown = await self._allowed(request).show(_asked_id(request))
        return OrjsonResponse(_summary(shown) | {"series": _series(shown)})

    async def replay_batch(self, request: Request) -> OrjsonResponse:
        """Put one back on the queue."""
        rejected_id = _asked_id(request)
        await self._allowed(request).replay(rejected_id)
        _log.info("rejected_batch_replayed", id=rejected_id, operator=request.state.operator_id)
        return OrjsonResponse({"id": rejected_id}, 202)

    async def drop_batch(self, request: Request) -> OrjsonResponse:
        """Give one up for good."""
        rejected_id = _asked_id(request)
        await self._allowed(request).drop(rejected_id)
        _log.warning("rejected_batch_dropped", id=rejected_id, operator=request.state.operator_id)
        return OrjsonResponse({"id": rejected_id})

    def _allowed(self, request: Request) -> RejectedControl:
        authenticate(request, self._verifier, "admin")
        if self._control is None:
            raise NotFoundError("queue", "rejected")
        return self._control


def _asked_id(request: Request) -> int:
    asked = _number(request.path_params["rejected_id"], "id")
    if not asked:
        raise InvalidInputError("id", asked, "a whole number from 1")
    return asked


def _number(text: str, field: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    raise InvalidInputError(field, text, "a whole number of at most 18 digits")


def _summary(shown: ShownBatch) -> dict[str, Any]:
    rejected, batch = shown.rejected, shown.batch
    return {
        "id": rejected.rejected_id,
        "at": to_iso(rejected.rejected_us),
        "reason": rejected.reason,
        "bytes": len(rejected.data),
        "batch": None if batch is None else str(batch.batch_id),
        "samples": None if batch is None else len(batch),
    }


def _series(shown: ShownBatch) -> list[dict[str, Any]]:
    if shown.batch is None:
        return []
    return [
        {
            "stream": str(one.stream.name),
            "unit": one.stream.unit,
            "kind": one.stream.kind,
            "samples": len(one.samples),
            "first": to_iso(int(one.samples.times_us.min())),
            "last": to_iso(int(one.samples.times_us.max())),
        }
        for one in shown.batch.series
    ]
