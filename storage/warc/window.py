"""The raw bytes of a WARC file around a position: forward in pieces, a little way back from memory, further back where the file can."""

from __future__ import annotations

import re
from typing import BinaryIO

READ_BYTES = 256 * 1024
BACK_BYTES = 1024 * 1024  # behind the position, so that going back over a damaged record mostly reads nothing again


class UnreadableError(Exception):
    """A stream that cannot be read on, though no disk or network failed: a damaged zip around a WARC file. The message says why."""


class Window:
    """Bytes of a stream; `position` counts from the file's beginning.

    `problem` says why the stream ended too early, if it did. `furthest` is the end of what was read so far.
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
        """Where the next byte stands in the file."""
        return self._start + self._at

    @property
    def ready(self) -> int:
        """How many bytes from the position on are in memory."""
        return len(self._data) - self._at

    def load(self) -> bool:
        """Read one more piece of the stream; False at its end."""
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
        """Read until `count` bytes are in memory; False where the stream has fewer."""
        while self.ready < count:
            if not self.load():
                return False
        return True

    def peek(self, count: int, ahead: int = 0) -> bytes:
        """The bytes in memory from `ahead` on, at most `count`."""
        start = self._at + ahead
        return bytes(memoryview(self._data)[start : start + count])

    def move(self, count: int) -> None:
        """Go on by `count` bytes that are in memory; back, where negative, by bytes that were just passed."""
        self._at += count

    def skip(self, count: int) -> None:
        """Go on by `count` bytes, to the end of the stream at most."""
        while count > self.ready:
            count -= self.ready
            self._at = len(self._data)
            if not self.load():
                return
        self._at += count

    def seek_back(self, position: int) -> int:
        """Go back to a position; in a stream that cannot seek to the first byte behind it that is still in memory.

        Returns how many bytes the stream itself reads again for it: one inside a zip begins anew.
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
        """How far ahead, from `start` to before `end`, the next match begins; None where there is none in memory."""
        found = pattern.search(self._data, self._at + start)
        ahead = found.start() - self._at if found else end
        return ahead if ahead < end else None
