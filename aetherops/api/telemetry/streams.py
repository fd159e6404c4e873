"""Streams changed over HTTP: for operators with the right ``execute``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from aetherops.api.http.authentication import authenticate
from aetherops.api.http.bodies import JSON_TYPE, parse_json, read_body, sent_type
from aetherops.api.http.json_responses import OrjsonResponse
from aetherops.archive.stream import StreamName
from aetherops.audit.trail import Authorship
from aetherops.errors import InvalidInputError
from aetherops.runtime.clock import now_us
from aetherops.services.stream_control import StreamControl

if TYPE_CHECKING:
    from starlette.requests import Request

    from aetherops.api.services import ApiServices

__all__ = ["StreamEndpoint"]

_FIELDS = ("unit", "kind")
_log = structlog.get_logger(__name__)


class StreamEndpoint:
    """``PATCH /v1/streams/{service}/{source}/{parameter}``."""

    def __init__(self, services: ApiServices) -> None:
        self._services = services
        self._control = StreamControl(services.store)

    async def describe_stream(self, request: Request) -> OrjsonResponse:
        """Change a stream's unit or kind, for all its samples; who did it is kept."""
        operator = authenticate(request, self._services.verifier, "execute")
        sent_type(request, (JSON_TYPE,))
        body = await read_body(request, self._services.settings.max_request_bytes)
        given = _given(parse_json(body))
        name = StreamName.parse(request.path_params["name"])
        request_id = structlog.contextvars.get_contextvars().get("request_id", "")
        author = Authorship(operator.operator_id, now_us(), request_id)
        record = await self._control.describe(
            name, author, unit=given.get("unit"), kind=given.get("kind")
        )
        _log.warning("stream_described", stream=str(name), operator=operator.operator_id, **given)
        stream = record.stream
        return OrjsonResponse(
            {"stream": str(stream.name), "unit": stream.unit, "kind": stream.kind}
        )


def _given(document: object) -> dict[str, str]:
    """The fields that a body gives."""
    if not isinstance(document, dict):
        raise InvalidInputError("body", document, "an object with unit, kind or both")
    for key, value in document.items():
        if key not in _FIELDS:
            raise InvalidInputError(key, value, f"one of the keys {', '.join(_FIELDS)}")
        if not isinstance(value, str):
            raise InvalidInputError(key, value, "text")
    return document
