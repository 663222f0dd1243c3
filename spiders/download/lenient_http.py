"""Answers with more bytes than they announce: a 304 or 204 with a body, a body longer than its Content-Length.

Browsers take such an answer and drop the rest; aiohttp drops the answer too when the surplus comes in one piece with the head, for it
reads the surplus as the next answer, fails, and forgets what it had read of that piece. So the head is fed to its parser by itself.

While no request is under way, nothing may come at all: what comes all the same, and what a piece has beyond the end of its answer, would
be read as the answer to the next request. The connection is closed then.

A chunked body whose chunks are none breaks that parser too, but nobody tells the reader of the body, who would wait until its time is over.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import ClientConnectionError, ClientPayloadError
from aiohttp.client_proto import ResponseHandler
from aiohttp.streams import StreamReader

HEAD_END = b"\r\n\r\n"
OVERLAP_BYTES = len(HEAD_END) - 1


class LenientResponseHandler(ResponseHandler):
    """aiohttp's protocol, fed no head together with what follows it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._last_bytes = b""
        self._on_unsolicited: Callable[[], None] | None = None

    def mark_idle(self, on_unsolicited: Callable[[], None]) -> None:
        """No request is under way from now on; `on_unsolicited` is called when bytes come nevertheless."""
        self._on_unsolicited = on_unsolicited
        if self._has_extra_bytes():
            self._reject()

    def set_response_params(self, **settings: Any) -> None:  # Any: aiohttp's own settings
        """A request follows. Raises aiohttp.ClientConnectionError where bytes are there before it."""
        self._on_unsolicited = None
        self._last_bytes = b""
        if self._tail:
            raise ClientConnectionError("The server sent bytes before it was asked for anything.")
        super().set_response_params(**settings)

    def data_received(self, data: bytes) -> None:
        """Bytes from the wire; none, where what was received is read on."""
        if data and self._on_unsolicited is not None:
            self._reject()
            return
        self._receive(data)
        if self._on_unsolicited is not None and self._has_extra_bytes():  # the answer ended within this piece
            self._reject()

    def _has_extra_bytes(self) -> bool:
        """Whether more was received than the answer: whole messages, or the beginning of one."""
        if self._buffer or self._tail:
            return True
        try:
            return self._parser is not None and self._payload_is_whole() and self._parser.feed_eof() is not None
        except Exception:  # of whatever kind: the beginning of something that is no message
            return True

    def _payload_is_whole(self) -> bool:
        return self._payload is None or self._payload.is_eof()

    def _reject(self) -> None:
        if self._on_unsolicited is not None and self.transport is not None:
            self._on_unsolicited()
        self.close()

    def _receive(self, data: bytes) -> None:
        position = (self._last_bytes + data[:OVERLAP_BYTES]).find(HEAD_END)
        end = data.find(HEAD_END) + len(HEAD_END) if position < 0 else position + len(HEAD_END) - len(self._last_bytes)
        self._last_bytes = data[-OVERLAP_BYTES:] if len(data) >= OVERLAP_BYTES else (self._last_bytes + data)[-OVERLAP_BYTES:]
        if OVERLAP_BYTES < end < len(data) or (position >= 0 and end < len(data)):
            self._feed(data[:end])
            self._feed(data[end:])
        else:
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        super().data_received(data)
        error, body = self.exception(), self._payload
        if error is not None and body is not None and not body.is_eof():
            self._loop.call_soon(_fail_body, body, error)  # once the reader has what came before


def _fail_body(body: StreamReader, error: BaseException) -> None:
    if body.exception() is None:
        body.set_exception(ClientPayloadError(f"The body is malformed: {error}"), error)
