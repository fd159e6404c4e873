"""Logs: structured, on standard error, as lines to read or as JSON, and without secrets."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import orjson
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from aetherops.connections.endpoints import without_secrets
from aetherops.runtime.library_logs import LibraryFilter
from aetherops.runtime.settings import Settings

__all__ = ["LIBRARY_EVENT", "configure_logging", "hide_secrets"]

#: What a library says stands in `message`.
LIBRARY_EVENT = "library_warned"

_HIDDEN = "***"
_SECRET_NAME = re.compile(r"password|secret|token|authorization|cookie|credential|api_?key", re.I)
# A JWT: two dots between base64url texts, the first of which begins as '{"' does.
_JWT = re.compile(r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]+")
_URL_WITH_USER = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s'\"]*@[^\s'\"]*", re.I)


def configure_logging(settings: Settings) -> None:
    """Send the logs of this process, ours and those of libraries, to standard error.

    Called once at the start, by the command line. One event is one line of JSON, or, on a terminal
    or by ``log_format="console"``, coloured text.
    """
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    last = _last_processors(settings.log_format)
    structlog.configure(
        processors=[*shared, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    _configure_libraries(level, shared, last)


def _name_library_event(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A library's own words stand beside an event of ours, with what `LibraryFilter` noted."""
    record: logging.LogRecord = event["_record"]
    named = {**event, "event": LIBRARY_EVENT, "message": event["event"]}
    if reason := getattr(record, "reason", None):
        named["reason"] = reason
    if (times := getattr(record, "times", 1)) > 1:
        named["times"] = times
    return named


def hide_secrets(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Structlog processor: secrets by name, tokens and passwords in URLs become ``***``."""
    return {name: _shown(name, value) for name, value in event.items()}


def _shown(name: str, value: object) -> object:
    if _SECRET_NAME.search(name):
        return _HIDDEN
    if isinstance(value, str):
        return _JWT.sub(_HIDDEN, _URL_WITH_USER.sub(lambda url: without_secrets(url[0]), value))
    if isinstance(value, MutableMapping):
        return {key: _shown(str(key), inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_shown("", inner) for inner in value]
    if isinstance(value, BaseException):
        return _shown(name, repr(value))
    return value


def _last_processors(log_format: str) -> list[Processor]:
    """Secrets are hidden once tracebacks are text, for exceptions quote what they were given."""
    if log_format == "console" or (log_format == "auto" and sys.stderr.isatty()):
        colors = sys.stderr.isatty()
        return [
            structlog.processors.ExceptionRenderer(),
            hide_secrets,
            structlog.dev.ConsoleRenderer(colors=colors, pad_event_to=0),
        ]
    return [
        structlog.processors.ExceptionRenderer(),
        hide_secrets,
        structlog.processors.JSONRenderer(_to_json),
    ]


def _to_json(event: EventDict, **_: Any) -> str:
    try:
        return orjson.dumps(event, default=repr, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # an integer beyond 64 bits, text that is no text: shown rather than lost
        return orjson.dumps({str(name): _held(value) for name, value in event.items()}).decode()


def _held(value: object) -> object:
    """A value of whatever kind as JSON holds it."""
    return value if isinstance(value, str) and value.isascii() else repr(value)


def _configure_libraries(level: int, shared: list[Processor], last: list[Processor]) -> None:
    """Through ``logging``, in the same form; libraries speak only from "warning" up."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(LibraryFilter())
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name, _name_library_event],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)
