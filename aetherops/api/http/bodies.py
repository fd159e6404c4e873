"""Reading what a client sent: bounded bytes, one media type, well-formed JSON."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import orjson
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from aetherops.errors import InvalidInputError, LimitExceededError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

__all__ = ["JSON_TYPE", "parse_json", "preferred_type", "read_body", "sent_type"]

JSON_TYPE = "application/json"

_READ_TIMEOUT_S = 30.0


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body, if it has at most `limit` bytes.

    Raises
    ------
    LimitExceededError
        The body is, or says it is, longer.
    HTTPException
        It did not arrive in half a minute (408), or broke off (400).
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > limit:
        raise LimitExceededError("bytes in a request body", limit, int(declared))
    chunks, length = [], 0
    try:
        async with asyncio.timeout(_READ_TIMEOUT_S):
            async for chunk in request.stream():
                length += len(chunk)
                if length > limit:
                    raise LimitExceededError("bytes in a request body", limit, length)
                chunks.append(chunk)
    except TimeoutError:
        raise HTTPException(408, "the request body did not arrive in time") from None
    except ClientDisconnect:
        # Nobody reads this; it keeps a client that left from counting as a fault of ours.
        raise HTTPException(400, "the request body broke off") from None
    return b"".join(chunks)


def parse_json(data: bytes | str, field: str = "body") -> object:
    """The value that JSON text means; an error says where the text goes wrong."""
    if isinstance(data, bytes):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            wrong = data[error.start : error.start + 1]
            raise InvalidInputError(f"{field}, byte {error.start}", wrong, "UTF-8 text") from None
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        place = f"{field}, line {error.lineno} column {error.colno}"
        reason = error.msg.partition(": line ")[0]
        raise InvalidInputError(place, reason, "well-formed JSON") from None


def sent_type(request: Request, accepted: Sequence[str]) -> str:
    """Media type of the body, one of `accepted`; 415 for any other, charset or encoding."""
    header = request.headers.get("content-type", "")
    media_type, _, parameters = header.partition(";")
    media_type = media_type.strip().lower()
    if media_type not in accepted:
        raise HTTPException(415, f"send {' or '.join(accepted)}, not {media_type or 'nothing'}")
    charset = parameters.replace(" ", "").replace('"', "").lower()
    if charset not in ("", "charset=utf-8", "charset=utf8"):
        raise HTTPException(415, "send UTF-8")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "send the body without a content encoding")
    return media_type


def preferred_type(accept: str, offers: Sequence[str]) -> str | None:
    """The offer that an ``Accept`` header likes best, the first among equals; None for none."""
    if not accept.strip():
        return offers[0]
    ranges = [_media_range(part) for part in accept.split(",")]
    weights = {offer: _weight(offer, ranges) for offer in offers}
    best = max(offers, key=lambda offer: weights[offer])
    return best if weights[best] > 0 else None


def _media_range(text: str) -> tuple[str, float]:
    name, *parameters = (part.strip().lower() for part in text.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return name, float(parameter[2:])
            except ValueError:
                return name, 0.0
    return name, 1.0


def _weight(offer: str, ranges: list[tuple[str, float]]) -> float:
    """Weight of the most specific range that covers an offer."""
    group = offer.partition("/")[0]
    for wanted in (offer, f"{group}/*", "*/*"):
        found = [weight for name, weight in ranges if name == wanted]
        if found:
            return max(found)
    return 0.0
