"""Answers with more bytes than they announce: a 304 or 204 with a body, a body longer than its Content-Length.

Browsers take such an answer and drop the rest; aiohttp drops the answer too when the surplus comes in one piece with the head, for it
reads the surplus as the next answer, fails, and forgets what it had read of that piece. So the head is fed to its parser by itself.
"""

from __future__ import annotations

import asyncio

from aiohttp.client_proto import ResponseHandler

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
            super().data_received(data[:end])
            super().data_received(data[end:])
        else:
            super().data_received(data)
