"""Answers with more bytes than they announce: a 304 or 204 with a body, a body longer than its Content-Length.

Browsers take such an answer and drop the rest; aiohttp drops the answer too when the surplus comes in one piece with the head, for it
reads the surplus as the next answer, fails, and forgets what it had read of that piece. So the head is fed to its parser by itself.

A chunked body whose chunks are none breaks that parser too, but nobody tells the reader of the body, who would wait until its time is over.
"""

from __future__ import annotations

import asyncio

from aiohttp import ClientPayloadError
from aiohttp.client_proto import ResponseHandler
from aiohttp.streams import StreamReader

HEAD_END = b"\r\n\r\n"
SEAM = len(HEAD_END) - 1


class SurplusTolerantHandler(ResponseHandler):
    """aiohttp's protocol, fed no head together with what follows it."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(loop)
        self._seam = b""

    def data_received(self, data: bytes) -> None:
        """Bytes from the wire."""
        seam = (self._seam + data[:SEAM]).find(HEAD_END)
        end = data.find(HEAD_END) + len(HEAD_END) if seam < 0 else seam + len(HEAD_END) - len(self._seam)
        self._seam = data[-SEAM:] if len(data) >= SEAM else (self._seam + data)[-SEAM:]
        if SEAM < end < len(data) or (seam >= 0 and end < len(data)):
            self._feed(data[:end])
            self._feed(data[end:])
        else:
            self._feed(data)

    def _feed(self, data: bytes) -> None:
        super().data_received(data)
        error, body = self.exception(), self._payload
        if error is not None and body is not None and not body.is_eof():
            self._loop.call_soon(_break_off, body, error)  # once the reader has what came before


def _break_off(body: StreamReader, error: BaseException) -> None:
    if body.exception() is None:
        body.set_exception(ClientPayloadError(f"The body is malformed: {error}"), error)
