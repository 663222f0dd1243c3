"""Accepts responses that aiohttp's parser refuses.

They have malformed heads (`header_repair`) or chunks (`chunk_repair`), or more bytes than they announce.

The latter is a 304 or 204 with a body, or a body longer than its Content-Length. Browsers use such a response and ignore the extra bytes.
aiohttp loses the response if the extra bytes arrive together with the head: it parses them as the next response, fails, and drops what it
had parsed of these bytes. So its parser gets the head alone.

Between two requests a server may send nothing. Bytes that arrive then, and bytes after the end of a response, would be read as the
response to the next request. So the connection is closed.

aiohttp's parser also fails at malformed chunks, but does not tell the reader of the body, who would wait until the timeout. So this
handler does.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any

from aiohttp import ClientConnectionError, ClientPayloadError
from aiohttp.client_proto import ResponseHandler
from aiohttp.http_exceptions import LineTooLong
from aiohttp.streams import StreamReader

from schemas.capture import HeaderList
from spiders.download.chunk_repair import MAX_LINE_BYTES, ChunkMender, needs_mending
from spiders.download.header_repair import HEAD_END, MAX_HEAD_BYTES, is_strict, mended_head, received_headers

BEGIN = b"HTTP/"
CHUNKED = re.compile(rb"\ntransfer-encoding[ \t]*:[^\n]*chunked", re.IGNORECASE)
OVERLAP_BYTES = 3  # of the end of a head, which has at most four
INTERIM = re.compile(rb"HTTP/[\d.]+[ \t]+1(?!01)\d\d", re.IGNORECASE)  # a response before the final one


class LenientResponseHandler(ResponseHandler):
    """aiohttp's protocol, whose parser gets the head of a response without the bytes after it.

    `received_headers` are the header lines as they came, if they had to be mended for the parser.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._head: bytearray | None = None  # what was received of the head; None after it
        self._chunks: bytearray | None = None  # what was received of a chunked body until its first line shows how it is written
        self._mender: ChunkMender | None = None
        self.received_headers: HeaderList | None = None
        self._on_unsolicited: Callable[[], None] | None = None

    def mark_idle(self, on_unsolicited: Callable[[], None]) -> None:
        """The connection has no request from now on. `on_unsolicited` is called if bytes arrive all the same."""
        self._on_unsolicited = on_unsolicited
        if self._has_extra_bytes():
            self._reject()

    def set_response_params(self, **settings: Any) -> None:  # Any: aiohttp's own settings
        """Prepare for a request. Raises aiohttp.ClientConnectionError if bytes arrived before it."""
        self._on_unsolicited = None
        self._head, self.received_headers = bytearray(), None
        self._chunks = self._mender = None
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

    def connection_lost(self, exc: BaseException | None) -> None:
        """The connection has ended. A head without an end is the parser's to refuse."""
        head, self._head = self._head or self._chunks, None
        self._chunks = None
        if head:
            self._feed(bytes(head))
        super().connection_lost(exc)

    def _receive(self, data: bytes) -> None:
        """Give the parser the head of the response, mended where it must be, and then what follows."""
        if not data:
            self._feed(data)
        while data and self._head is not None:
            searched = max(len(self._head) - OVERLAP_BYTES, 0)
            self._head += data
            found = HEAD_END.search(self._head, searched)
            size = len(self._head)
            if found is None and size <= MAX_HEAD_BYTES and self._head[: len(BEGIN)].upper().startswith(BEGIN[:size]):
                return
            if size > MAX_HEAD_BYTES and (found is None or found.end() > MAX_HEAD_BYTES):
                self._refuse_head()
                return
            received = bytes(self._head)  # copied once: a server may send a byte at a time
            if found is None:
                self._head, data = None, received
                break
            head, data = received[: found.end()], received[found.end() :]
            self._head = bytearray() if INTERIM.match(head) else None
            self._chunks = bytearray() if self._head is None and CHUNKED.search(head) else None
            self._feed(self._for_parser(head))
        if data and (body := self._mended_body(data)):
            self._feed(body)

    def _refuse_head(self) -> None:
        """Fail as the parser does. It bounds single lines and their number, which together may be hundreds of megabytes."""
        self._head = None
        if self.transport is not None:
            self.transport.close()
        self.set_exception(LineTooLong("the head", str(MAX_HEAD_BYTES)))

    def _mended_body(self, data: bytes) -> bytes:
        """The bytes of a body for the parser: its chunks are mended where they must be."""
        if self._chunks is not None:
            self._chunks += data
            if b"\n" not in self._chunks and len(self._chunks) < MAX_LINE_BYTES:
                return b""
            data, self._chunks = bytes(self._chunks), None
            self._mender = ChunkMender() if needs_mending(data) else None
        return data if self._mender is None else self._mender.mend(data)

    def _for_parser(self, head: bytes) -> bytes:
        if is_strict(head):
            return head
        self.received_headers = received_headers(head)
        return mended_head(head)

    def _feed(self, data: bytes) -> None:
        super().data_received(data)
        error, body = self.exception(), self._payload
        if error is not None and body is not None and not body.is_eof():
            self._loop.call_soon(_fail_body, body, error)  # after the reader got what came before


def _fail_body(body: StreamReader, error: BaseException) -> None:
    if body.exception() is None:
        body.set_exception(ClientPayloadError(f"The body is malformed: {error}"), error)
