"""JSON responses by orjson; arrays of numbers and instants are written without Python objects."""

from __future__ import annotations

import orjson
from starlette.responses import Response

__all__ = ["OrjsonResponse", "encode_json"]

# NaN and infinities become null; datetime64 arrays become ISO 8601 in UTC with Z.
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z


def encode_json(content: object) -> bytes:
    """JSON text of plain values and NumPy arrays."""
    return orjson.dumps(content, option=_OPTIONS)


class OrjsonResponse(Response):
    """A response with a JSON body."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """Encode the body."""
        return encode_json(content)
