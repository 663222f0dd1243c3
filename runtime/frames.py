"""Frames between a parent and a child process: the length in 8 bytes, big-endian, then the data."""

from __future__ import annotations

from typing import BinaryIO

HEADER_BYTES = 8
MAX_FRAME_BYTES = 1 << 31


class FrameError(ValueError):
    """A frame is longer than its reader allows."""


def header(length: int) -> bytes:
    """The header of a frame with this many bytes of data."""
    return length.to_bytes(HEADER_BYTES, "big")


def read_frame(source: BinaryIO) -> bytes | None:
    """The next frame of a blocking stream, or None at its end."""
    head = source.read(HEADER_BYTES)
    if len(head) < HEADER_BYTES:
        return None
    return source.read(int.from_bytes(head, "big"))


def write_frame(sink: BinaryIO, data: bytes) -> None:
    """Write one frame and flush."""
    sink.write(header(len(data)))
    sink.write(data)
    sink.flush()


class FrameBuffer:
    """Collects bytes in any portions and gives complete frames of at most `limit` bytes."""

    def __init__(self, limit: int = MAX_FRAME_BYTES) -> None:
        self._limit = limit
        self._received = bytearray()

    def feed(self, data: bytes | memoryview) -> None:
        """Add received bytes."""
        self._received += data

    def pop(self) -> bytes | None:
        """The next frame, or None if it is not complete yet. Raises FrameError."""
        received = self._received
        if len(received) < HEADER_BYTES:
            return None
        end = HEADER_BYTES + int.from_bytes(received[:HEADER_BYTES], "big")
        if end - HEADER_BYTES > self._limit:
            raise FrameError(f"a frame of {end - HEADER_BYTES} bytes, but at most {self._limit} are allowed")
        if len(received) < end:
            return None
        with memoryview(received) as view:
            frame = bytes(view[HEADER_BYTES:end])
        del received[:end]
        return frame
