"""Reads bytes that are one gzip member with one record, whole: a third of the time of `storage.warc.stream`, which reads any file."""

from __future__ import annotations

from isal import isal_zlib

from storage.warc.member_decoders import GZIP
from storage.warc.stream import HEAD_END, MAX_HEAD_BYTES, DamagedError, begins_record

_GZIP_BITS = 31  # a window of 32 kB, with gzip's header and checksum
_AT_START = 0


def decoded_member(data: bytes, most: int) -> bytes | None:
    """The decoded bytes of a single whole gzip member, as far as they are at most `most`; otherwise None. Raises IsalError."""
    if not data.startswith(GZIP):
        return None
    decoder = isal_zlib.decompressobj(_GZIP_BITS)
    decoded = decoder.decompress(data, most)
    return bytes(decoded) if decoder.eof and not decoder.unused_data else None


class SingleRecord:
    """The bytes of one record, read as those of a `RecordStream`. Raises DamagedError wherever they are not one whole record."""

    offset = _AT_START

    def __init__(self, decoded: bytes, size: int) -> None:
        """`size` is how many bytes the record takes in the file."""
        self._decoded, self._size, self._at = decoded, size, 0

    def read_head(self) -> bytes:
        """The head of the record, without the blank line after it."""
        found = HEAD_END.search(self._decoded, 0, MAX_HEAD_BYTES)
        if found is None or begins_record(self._decoded[: found.start()], 1):
            raise DamagedError(_AT_START, "no head of one record")
        self._at = found.end()
        return self._decoded[: found.start()]

    def read(self, length: int) -> bytes:
        """`length` bytes of the record's block."""
        self.skip(length)
        return self._decoded[self._at - length : self._at]

    def skip(self, length: int) -> None:
        """Skip `length` bytes."""
        self._at += length
        if self._at > len(self._decoded):
            raise DamagedError(_AT_START, "bytes are missing in the block")

    def end(self, _: bytes | None = None) -> int:
        """Finish the record; returns how many bytes it takes in the file."""
        if self._decoded[self._at :].strip(b"\r\n"):
            raise DamagedError(_AT_START, "more follows in its member")
        return self._size
