"""Decoders for the members of a WARC file: gzip members, zstd frames or uncompressed bytes, each decoded piece by piece.

`records.member` makes them.
"""

from __future__ import annotations

import sys
import zlib
from typing import Protocol

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FIRST_PIECE_BYTES = 4096  # given to a decoder first; each further piece is twice as long, because the decoder copies what it leaves
LAST_PIECE_BYTES = 256 * 1024

GZIP = b"\x1f\x8b\x08"
ZSTD = b"\x28\xb5\x2f\xfd"
BROKEN = (zlib.error, zstd.ZstdError)


class Member(Protocol):
    """A decoder of one member. `input_size` is how many bytes it needs next; 0: none, it has some left."""

    ended: bool
    input_size: int

    def decode(self, data: bytes, most: int) -> tuple[bytes, int]:
        """At most `most` decoded bytes, and how many of the bytes given so far were not used for them."""


class GzipMember:
    """A gzip member."""

    def __init__(self) -> None:
        self._decoder = zlib.decompressobj(31)
        self.ended = False
        self.input_size = FIRST_PIECE_BYTES

    def decode(self, data: bytes, most: int) -> tuple[bytes, int]:
        """See Member. Raises zlib.error."""
        decoded = self._decoder.decompress(data, most)
        self.ended = self._decoder.eof
        self.input_size = min(2 * self.input_size, LAST_PIECE_BYTES)
        return decoded, len(self._decoder.unused_data if self.ended else self._decoder.unconsumed_tail)


class ZstdFrame:
    """A zstd frame; the file may have a dictionary."""

    def __init__(self, dictionary: zstd.ZstdDict | None) -> None:
        self._decoder = zstd.ZstdDecompressor(dictionary)
        self._next = FIRST_PIECE_BYTES
        self.ended = False
        self.input_size = FIRST_PIECE_BYTES

    def decode(self, data: bytes, most: int) -> tuple[bytes, int]:
        """See Member. Raises ZstdError."""
        decoded = self._decoder.decompress(data, most)
        self.ended = self._decoder.eof
        self._next = min(2 * self._next, LAST_PIECE_BYTES)
        self.input_size = self._next if self._decoder.needs_input else 0
        return decoded, len(self._decoder.unused_data) if self.ended else 0


class PlainBytes:
    """Uncompressed bytes, up to the end of the file."""

    def __init__(self) -> None:
        self.ended = False
        self.input_size = FIRST_PIECE_BYTES

    def decode(self, data: bytes, most: int) -> tuple[bytes, int]:
        """See Member."""
        self.input_size = min(2 * self.input_size, LAST_PIECE_BYTES)
        return data[:most], max(len(data) - most, 0)

    def stop(self) -> None:
        """Decode nothing more: another record begins."""
        self.ended = True


def new_member(start: bytes, dictionary: zstd.ZstdDict | None) -> Member:
    """The decoder of a member that begins with these bytes."""
    if start.startswith(ZSTD):
        return ZstdFrame(dictionary)
    return GzipMember() if start.startswith(GZIP[:2]) else PlainBytes()


def begins_with(start: bytes, wanted: bytes, dictionary: zstd.ZstdDict | None) -> bool | None:
    """Whether a member that begins with `start` begins with `wanted` when it is decoded; None if more bytes are needed."""
    member = new_member(start, dictionary)
    try:
        decoded, _ = member.decode(start, len(wanted))
    except BROKEN:
        return False
    return decoded.startswith(wanted) if decoded or member.ended else None
