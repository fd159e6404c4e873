"""The explorer: one page in which to ask, read the schema, and see columns as curves.

Kept as a page, a style and scripts; served as one self-contained document that loads
nothing. Its policy names the hashes of that style and that script and allows no other.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Self

from starlette.responses import HTMLResponse

__all__ = ["Explorer"]

_STYLE = "style.css"
_SCRIPTS = ("editor.js", "result.js", "plot.js", "schema.js", "app.js")


@dataclass(frozen=True, slots=True)
class Explorer:
    """The assembled page and the policy that goes with it."""

    page: str
    policy: str

    @classmethod
    def load(cls) -> Self:
        """Assemble the page from the files beside this one."""
        here = files(__name__)
        style = here.joinpath(_STYLE).read_text("utf-8")
        scripts = (here.joinpath(name).read_text("utf-8") for name in _SCRIPTS)
        script = '"use strict";\n' + "\n".join(scripts)
        page = here.joinpath("page.html").read_text("utf-8")
        page = page.replace("/* style */", style).replace("/* script */", script)
        return cls(page, _policy(style, script))

    def to_response(self) -> HTMLResponse:
        """The page as a response."""
        headers = {"Content-Security-Policy": self.policy, "Vary": "Accept"}
        return HTMLResponse(self.page, headers=headers)


def _policy(style: str, script: str) -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src '{_hash(script)}'",
            f"style-src '{_hash(style)}'",
            "connect-src 'self'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(sha256(text.encode()).digest()).decode()
