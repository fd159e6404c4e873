"""One connection of the HTTP server: uvicorn's protocol, with bounds on what a client may hold.

Uvicorn parses and answers. Here stands what it leaves open: how long a head may be, and how long
a connection may wait for one, for the next request, or for its client to read.
"""

from __future__ import annotations

import fcntl
import struct
import termios
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import httptools
import structlog
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from aetherops.runtime.http.connections import ConnectionTable, Wait
from aetherops.runtime.http.refusals import (
    HEAD_TIMED_OUT,
    MALFORMED,
    NO_CONNECTION_FREE,
    Refusal,
    too_large_a_head,
    too_much_framing,
)

if TYPE_CHECKING:
    import asyncio

__all__ = ["MAX_HEADERS", "BoundedProtocol"]

_log = structlog.get_logger(__name__)

#: Each costs several times its bytes once parsed.
MAX_HEADERS = 100
#: Of a connection's data, parsed at once: so many pipelined requests may be taken apart.
_PIECE_BYTES = 16 * 1024
#: Of chunk framing, allowed for each byte of the body: a chunk of one byte has five around it.
_FRAMING_A_BODY_BYTE = 16
#: Read, and thrown away, of a client that was refused and goes on sending.
_FAREWELL_BYTES = 2**20
#: What a client takes at least in the time that its reading may take: 2 KiB/s by default.
_TAKEN_BYTES = 64 * 1024


class _Flow(FlowControl):
    """Reading, held while what was read is not parsed; whoever wants a body does not resume it."""

    _is_held = False

    def hold(self) -> None:
        self._is_held = True
        self.pause_reading()

    def release(self) -> None:
        self._is_held = False
        self.resume_reading()

    def resume_reading(self) -> None:
        if not self._is_held:
            super().resume_reading()


class BoundedProtocol(HttpToolsProtocol):
    """A connection that can hold neither memory nor its place for longer than is allowed.

    Parameters
    ----------
    table : of all connections of the server.
    max_head_bytes : of a request line and its headers. One that is sent behind another request
        may have up to a piece more: where it begins is not known exactly.
    uvicorn : what the base takes.
    """

    def __init__(self, table: ConnectionTable, max_head_bytes: int, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._table = table
        self._max_head_bytes = max_head_bytes
        # Bytes that may come before the parser must get on: to a head's end, or in a body.
        self._left = max_head_bytes
        self._last_scope: object = None
        self._in_body = False
        self._is_last = False  # the client wants no further request answered
        self._unparsed = b""
        self._refused = False
        self._unanswered = 0
        self._wait: Wait | None = None
        self._unsent_before = 0

    # -- the connection ---------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, if there is room."""
        super().connection_made(transport)
        self.flow = self._flow = _Flow(transport)
        if self._table.admit(self):
            self._begin_wait(self._table.head)
        else:
            self._refuse(NO_CONNECTION_FREE)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget all of it."""
        self._end_wait()
        self._table.forget(self)
        self._unparsed = b""
        super().connection_lost(exc)

    def eof_received(self) -> None:
        """The client sends no more; the transport closes once what was written is sent."""
        super().eof_received()
        if self.transport.get_write_buffer_size():
            self._begin_wait(self._table.reader)

    def shutdown(self) -> None:
        """End with the server; nothing is left to say to a client that was refused."""
        if self._wait is self._table.farewell:
            self.drop()
        else:
            super().shutdown()

    # -- what comes in ----------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Parse what came, as far as it may be parsed."""
        if self._refused:
            self._left -= len(data)
            if self._left < 0:
                self.flow.pause_reading()
        elif self._unparsed:
            self._unparsed += data
        else:
            self._parse(data)

    def _parse(self, data: bytes) -> None:
        start = 0
        while start < len(data) and not self._refused:
            if self.pipeline:
                # Taken apart, small requests are ten times as large as their bytes.
                self._unparsed = data[start:]
                self._flow.hold()
                return
            size = min(self._left, _PIECE_BYTES, len(data) - start)
            piece = data if size == len(data) else memoryview(data)[start : start + size]
            start += size
            self._left -= size
            try:
                self.parser.feed_data(piece)
            except httptools.HttpParserUpgrade as upgrade:
                # No protocol is ever changed to, so what follows is HTTP too.
                start += upgrade.args[0] - size
            except httptools.HttpParserError:
                is_stopped_by_us = len(self.headers or ()) > MAX_HEADERS
                self._refuse(self._excess() if is_stopped_by_us else MALFORMED)
            if self._left <= 0 or len(self.headers or ()) > MAX_HEADERS:
                self._refuse(self._excess())
        if self._wait is self._table.request and self._is_in_head():
            self._begin_wait(self._table.head)

    def _is_in_head(self) -> bool:
        """A request has begun that is not the application's yet."""
        return self.scope is not self._last_scope

    def _excess(self) -> Refusal:
        """What there is too much of: headers, other bytes of a head, or what is around a body."""
        if self._in_body:
            return too_much_framing(self._max_head_bytes)
        if self._left > 0:
            return too_large_a_head("headers of a request", MAX_HEADERS)
        return too_large_a_head("bytes in a request's head", self._max_head_bytes)

    # -- what the parser finds --------------------------------------------------------------------

    def on_headers_complete(self) -> None:
        """The end of a head: the request is the application's."""
        if len(self.headers) > MAX_HEADERS:
            raise ValueError("too many headers")  # stops the parser; the reason is told there
        if self._is_last:
            raise ValueError("a request behind the last one")
        self._last_scope = self.scope
        self._in_body = True
        self._left = self._max_head_bytes
        wait = self._wait
        if wait is not None and wait is not self._table.reader:
            self._wait = None
            wait.end(self)
        super().on_headers_complete()
        self._unanswered += 1
        # Closed with a body unread, a connection takes the answer away: see `_end_where_last`.
        self._is_last = not self.cycle.keep_alive
        self.cycle.keep_alive = True
        # What comes behind a body is not to stand among the headers (RFC 9110 §6.5.1).
        self.headers = []

    def on_body(self, body: bytes) -> None:
        """Part of a body."""
        self._left += _FRAMING_A_BODY_BYTE * len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The end of a request."""
        self._in_body = False
        self._left = self._max_head_bytes
        super().on_message_complete()
        self._end_where_last()

    # -- what goes out ----------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        """An answer was written: go on to the next request, or wait for it."""
        self._unanswered -= 1
        super().on_response_complete()
        if self.timeout_keep_alive_task is not None:  # the table has the time for that
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        self._end_where_last()
        if self.transport.is_closing():
            if self.transport.get_write_buffer_size():
                self._begin_wait(self._table.reader)
            return
        if self._wait is None and not self._unanswered:
            in_head = self._is_in_head()
            self._wait = self._table.head if in_head else self._table.request
            self._wait.begin(self)
        if self._unparsed and not self.pipeline:
            data, self._unparsed = self._unparsed, b""
            self._flow.release()
            self._parse(data)

    def _end_where_last(self) -> None:
        """Close once the last request was read to its end, and answered."""
        if self._is_last and not self._in_body and not self._unanswered:
            self.transport.close()

    def pause_writing(self) -> None:
        """The client reads more slowly than it is answered."""
        super().pause_writing()
        if not self._refused:
            self._begin_wait(self._table.reader)

    def resume_writing(self) -> None:
        """The client has nearly caught up."""
        super().resume_writing()
        if self._wait is self._table.reader and not self.transport.is_closing():
            self._end_wait()
            self._await_request()

    # -- waiting, and its end ---------------------------------------------------------------------

    def expire(self, wait: Wait) -> None:
        """See `Connection.expire`."""
        self._wait = None
        if wait is self._table.head and self._is_in_head():
            self._refuse(HEAD_TIMED_OUT)
        elif wait is self._table.head or wait is self._table.farewell:
            self.drop()
        elif wait is self._table.request and not self._unsent():
            self.transport.close()
        elif wait is self._table.request:
            self._begin_wait(self._table.reader)
        else:
            self._check_reader()

    def drop(self) -> None:
        """See `Connection.drop`."""
        self._wait = None
        self.transport.abort()

    def _check_reader(self) -> None:
        unsent = self._unsent()
        if unsent and unsent > self._unsent_before - _TAKEN_BYTES:
            self._table.refused["reader_too_slow"] += 1
            _log.info("reader_dropped", unsent_bytes=unsent)
            self.drop()
        elif unsent:
            self._begin_wait(self._table.reader)
        elif not self.transport.is_closing():
            self._await_request()

    def _unsent(self) -> int:
        """Bytes of answers that the client has not taken, here and in the kernel."""
        unsent = self.transport.get_write_buffer_size()
        try:
            descriptor = self.transport.get_extra_info("socket").fileno()
            queued = fcntl.ioctl(descriptor, termios.TIOCOUTQ, bytes(4))
        except (OSError, ValueError):  # not every system tells, nor a socket that is closed
            return unsent
        return unsent + int(struct.unpack("i", queued)[0])

    def _await_request(self) -> None:
        if not self._unanswered:
            self._begin_wait(self._table.head if self._is_in_head() else self._table.request)

    def _begin_wait(self, wait: Wait) -> None:
        self._end_wait()
        self._wait = wait
        if wait is self._table.reader:
            self._unsent_before = self._unsent()
        wait.begin(self)

    def _end_wait(self) -> None:
        if self._wait is not None:
            self._wait.end(self)
            self._wait = None

    # -- refusing ---------------------------------------------------------------------------------

    def _refuse(self, refusal: Refusal) -> None:
        """Read no more of this connection, and say why where no answer is in the way."""
        if self._refused:
            return
        self._refused = True
        self._table.refused[refusal.reason] += 1
        _log.info("connection_refused", status=refusal.status.value, reason=refusal.message)
        cycle = self.cycle
        if not self._unanswered:
            self._say_farewell(refusal)
        elif not cycle.more_body:
            # The requests before are whole: the connection ends when the last is answered.
            cycle.keep_alive = False
        elif self.pipeline or cycle.response_started:
            self.drop()
        else:
            cycle.disconnected = True
            cycle.waiting_for_100_continue = False
            cycle.message_event.set()
            self._say_farewell(refusal)

    def _say_farewell(self, refusal: Refusal) -> None:
        """Answer, and wait for the client to close: closing first could take the answer away."""
        self._left = _FAREWELL_BYTES
        self._flow.release()
        self.transport.write(refusal.to_bytes())
        with suppress(OSError):  # the client has gone already
            self.transport.write_eof()
        self._begin_wait(self._table.farewell)
