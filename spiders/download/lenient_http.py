"""Accepts responses with more bytes than they announce: a 304 or 204 with a body, or a body longer than its Content-Length.

Browsers use such a response and ignore the extra bytes. aiohttp loses the response if the extra bytes arrive together with the head: it
parses them as the next response, fails, and drops what it had parsed of these bytes. So its parser gets the head alone.

Between two requests a server may send nothing. Bytes that arrive then, and bytes after the end of a response, would be read as the
response to the next request. So the connection is closed.

aiohttp's parser also fails at malformed chunks, but does not tell the reader of the body, who would wait until the timeout. So this
handler does.
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
    """aiohttp's protocol, whose parser gets the head of a response without the bytes after it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._last_bytes = b""
        self._on_unsolicited: Callable[[], None] | None = None

    def mark_idle(self, on_unsolicited: Callable[[], None]) -> None:
        """The connection has no request from now on. `on_unsolicited` is called if bytes arrive all the same."""
        self._on_unsolicited = on_unsolicited
        if self._has_extra_bytes():
            self._reject()

    def set_response_params(self, **settings: Any) -> None:  # Any: aiohttp's own settings
        """Prepare for a request. Raises aiohttp.ClientConnectionError if bytes arrived before it."""
        self._on_unsolicited = None
        self._last_bytes = b""
        if self._tail:
            raise ClientConnectionError("The server sent bytes before the request.")
        super().set_response_params(**settings)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the network. Without bytes, go on with those that were received."""
        if data and self._on_unsolicited is not None:
            self._reject()
            return
        self._receive(data)
        if self._on_unsolicited is not None and self._has_extra_bytes():  # the response ended within these bytes
            self._reject()

    def _has_extra_bytes(self) -> bool:
        """Whether more was received than the response: whole messages, or the beginning of one."""
        if self._buffer or self._tail:
            return True
        try:
            return self._parser is not None and self._payload_is_whole() and self._parser.feed_eof() is not None
        except Exception:  # of any kind: the bytes are not the beginning of a message
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
            self._loop.call_soon(_fail_body, body, error)  # after the reader got what came before


def _fail_body(body: StreamReader, error: BaseException) -> None:
    if body.exception() is None:
        body.set_exception(ClientPayloadError(f"The body is malformed: {error}"), error)
