"""The raw bytes of a WARC file around a position: read forward in parts, and back from memory or, if the file can seek, from the file."""

from __future__ import annotations

import re
from typing import BinaryIO

READ_BYTES = 256 * 1024
BACK_BYTES = 1024 * 1024  # kept before the position: to go back over a damaged record, usually nothing is read again


class UnreadableError(Exception):
    """A stream that cannot be read any further, although disk and network work: a damaged zip around a WARC file. The message says why."""


class Window:
    """The bytes of a stream around `position`, which is counted from the beginning of the file.

    `problem` says why the stream ended too early, if it did. `furthest` is the offset up to which it was read.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._data = bytearray()
        self._start = stream.tell() if stream.seekable() else 0  # of _data, in the file
        self._at = 0  # in _data
        self.first = self.furthest = self._start
        self.problem: str | None = None

    @property
    def position(self) -> int:
        """The offset of the next byte in the file."""
        return self._start + self._at

    @property
    def ready(self) -> int:
        """How many bytes after the position are in memory."""
        return len(self._data) - self._at

    def load(self) -> bool:
        """Read READ_BYTES more of the stream; False at its end."""
        if self._at > 2 * BACK_BYTES:
            gone = self._at - BACK_BYTES
            del self._data[:gone]
            self._start += gone
            self._at -= gone
        try:
            piece = b"" if self.problem else self._stream.read(READ_BYTES)
        except UnreadableError as error:
            self.problem, piece = str(error), b""
        self._data += piece
        self.furthest = max(self.furthest, self._start + len(self._data))
        return bool(piece)

    def ensure(self, count: int) -> bool:
        """Read until `count` bytes are in memory; False if the stream has fewer."""
        while self.ready < count:
            if not self.load():
                return False
        return True

    def peek(self, count: int, ahead: int = 0) -> bytes:
        """At most `count` bytes in memory, from `ahead` bytes after the position."""
        start = self._at + ahead
        return bytes(memoryview(self._data)[start : start + count])

    def move(self, count: int) -> None:
        """Move the position by `count` bytes, which must be in memory; negative: back, over bytes just read."""
        self._at += count

    def skip(self, count: int) -> None:
        """Move the position forward by `count` bytes, at most to the end of the stream."""
        while count > self.ready:
            count -= self.ready
            self._at = len(self._data)
            if not self.load():
                return
        self._at += count

    def seek_back(self, position: int) -> int:
        """Go back to a position. If the stream cannot seek, go to the first later byte that is still in memory.

        Returns how many bytes the stream itself reads again for this: inside a zip it starts at the beginning.
        """
        cost = 0
        if position < self._start and self._stream.seekable() and not self.problem:
            cost = position if getattr(self._stream, "seeks_by_reading", False) else 0
            try:
                self._start = self._stream.seek(position)
                self._data.clear()
            except UnreadableError as error:
                self.problem = str(error)
        self._at = max(position - self._start, 0)
        return cost

    def find(self, pattern: re.Pattern[bytes], start: int, end: int) -> int | None:
        """How many bytes ahead, in [start, end), the next match in memory begins; None if there is none."""
        found = pattern.search(self._data, self._at + start)
        ahead = found.start() - self._at if found else end
        return ahead if ahead < end else None
