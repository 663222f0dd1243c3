"""Mends chunked bodies that browsers and curl take, and aiohttp's parser does not: lines that end with LF, and blanks before a size."""

from __future__ import annotations

import re

MAX_LINE_BYTES = 4096  # a size with its extensions
BLANKS = b" \t"
SIZE = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\n]*)?\r?\n")
STRICT = re.compile(rb"[0-9A-Fa-f]{1,16}(?:[ \t]*|;[^\n]*)\r\n")


class ChunkMender:
    """Writes the chunks of one body as the strict parser wants them, piece by piece. What is not a chunk goes on as it is."""

    def __init__(self) -> None:
        self._held = b""  # the beginning of a line
        self._left = 0  # bytes of the current chunk
        self._is_behind_chunk = False
        self._is_broken = self._is_over = False

    def mend(self, data: bytes) -> bytes:
        """The chunks in the next bytes of the body. What follows the last one, such as trailers, is left out."""
        data, self._held = self._held + data, b""
        mended, position = bytearray(), 0
        while position < len(data) and not self._is_over and not self._is_broken:
            if self._left:
                piece = data[position : position + self._left]
                mended += piece
                self._left -= len(piece)
                position += len(piece)
                self._is_behind_chunk = not self._left
                continue
            end = data.find(b"\n", position, position + MAX_LINE_BYTES)
            if end < 0 and len(data) - position < MAX_LINE_BYTES:
                self._held = data[position:]
                return bytes(mended)
            line = data[position : end + 1]
            position = self._line(line, mended, position)
        return bytes(mended) + (data[position:] if self._is_broken else b"")

    def _line(self, line: bytes, mended: bytearray, position: int) -> int:
        """Take a line between chunks, and return the place behind it."""
        if self._is_behind_chunk:
            self._is_behind_chunk = False
            mended += b"\r\n"
            return position + len(line) if line in {b"\n", b"\r\n"} else position
        size = SIZE.fullmatch(line)
        if size is None:
            self._is_broken = True
            return position
        self._left = int(size[1], 16)
        self._is_over = not self._left
        mended += b"%x\r\n" % self._left + (b"\r\n" if self._is_over else b"")
        return position + len(line)


def needs_mending(body: bytes) -> bool:
    """Whether a chunked body does not begin as the strict parser wants it, by its first line."""
    return b"\n" in body[:MAX_LINE_BYTES] and STRICT.match(body) is None and SIZE.match(body) is not None
