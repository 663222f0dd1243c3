"""The bytes of a WARC file record by record: gzip members or plain, with exact offsets, and with a way on behind damage."""

from __future__ import annotations

import zlib
from typing import BinaryIO

READ_BYTES = 256 * 1024
MAX_HEAD_BYTES = 256 * 1024

_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"
_VERSION = b"WARC/"


class DamagedError(Exception):
    """A record that is cut off or cannot be decoded; `offset` is where it begins in the file."""

    def __init__(self, offset: int, detail: str) -> None:
        super().__init__(detail)
        self.offset = offset


class RecordStream:
    """Decompressed bytes of a WARC file, one record after the other.

    Call `begin`, then `read_head`, `read` or `skip`, and `end`; after a DamagedError call `resume`. A record does not reach over the end of
    its gzip member. Memory is bounded by READ_BYTES and what is asked for.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._raw = b""
        self._raw_end = stream.tell() if stream.seekable() else 0
        self._inflate: zlib._Decompress | None = None
        self._inside = False  # of a member, or of an uncompressed file
        self._plain = bytearray()
        self.offset = self._raw_end

    @property
    def next_offset(self) -> int:
        """After `end`: where the next record begins in the file."""
        return self._raw_end - len(self._raw) - (0 if self._inflate else len(self._plain))

    def begin(self) -> bool:
        """Go to the next record; False at the end of the file."""
        self._skip_newlines()
        if self._plain:  # a further record of the same member, or of an uncompressed file
            if self._inflate is None:
                self.offset = self._raw_end - len(self._raw) - len(self._plain)
            return True
        self.offset = self._raw_end - len(self._raw)
        return self._open_member()

    def read_head(self) -> bytes:
        """The head of the record up to the blank line, which is left out."""
        while True:
            for blank in (b"\r\n\r\n", b"\n\n"):
                found = self._plain.find(blank)
                if found >= 0:
                    return self._take(found + len(blank))[:found]
            if len(self._plain) > MAX_HEAD_BYTES or not self._fill():
                raise DamagedError(self.offset, "cut off in the record's head, or no head at all")

    def read(self, length: int) -> bytes:
        """`length` bytes of the record's block."""
        while len(self._plain) < length:
            if not self._fill():
                raise DamagedError(self.offset, f"cut off: {length - len(self._plain)} bytes of the block are missing")
        return self._take(length)

    def skip(self, length: int) -> None:
        """Pass over `length` bytes without keeping them."""
        while length > 0:
            length -= len(self.read(min(length, READ_BYTES)))

    def end(self) -> int:
        """Finish the record; the bytes that it takes in the file, its gzip member or its blank lines included.

        0 when it shares its member with other records and so cannot be read alone.
        """
        self._skip_newlines()
        if self._inflate is not None and self._plain:
            return 0
        return self.next_offset - self.offset

    def resume(self) -> bool:
        """Go behind the damage, to the next place that begins like a record; False when there is none."""
        if self._stream.seekable():
            self._raw_end = self._stream.seek(self.offset + 1)
            self._raw = b""
        elif self._inflate is None:
            self._raw = bytes(self._plain[1:]) + self._raw
        self._inflate, self._inside, self._plain = None, False, bytearray()
        while True:
            places = [place for mark in (_GZIP, _VERSION) if (place := self._raw.find(mark)) >= 0]
            if places:
                self._raw = self._raw[min(places) :]
                if self._looks_right():
                    return True
                self._raw = self._raw[1:]
            else:
                self._raw = self._raw[-len(_VERSION) :]
                if not self._load():
                    return False

    def _looks_right(self) -> bool:
        """Whether the raw bytes begin a record, or a gzip member with one."""
        while len(self._raw) < READ_BYTES and self._load():
            pass
        if self._raw.startswith(_VERSION):
            return self._raw[5:8] in {b"1.0", b"1.1", b"0.1"}
        try:
            return zlib.decompressobj(31).decompress(self._raw[:4096], 16).startswith(_VERSION)
        except zlib.error:
            return False

    def _open_member(self) -> bool:
        while len(self._raw) < len(_ZSTD) and self._load():
            pass
        if not self._raw:
            return False
        if self._raw.startswith(_ZSTD):
            raise DamagedError(self.offset, "compressed with zstd, which is not read here: recompress it with gzip")
        if self._raw.startswith(_GZIP[:2]):
            self._inflate = zlib.decompressobj(31)
        else:
            self._inflate = None
            self._plain += self._raw
            self._raw = b""
        self._inside = True
        return True

    def _load(self) -> bool:
        data = self._stream.read(READ_BYTES)
        self._raw += data
        self._raw_end += len(data)
        return bool(data)

    def _fill(self) -> bool:
        """More decompressed bytes of this member; False at its end or the file's."""
        if not self._inside:
            return False
        if self._inflate is None:
            if not self._load():
                return False
            self._plain += self._raw
            self._raw = b""
            return True
        if self._inflate.eof:
            return False
        if not self._raw and not self._load():
            raise DamagedError(self.offset, "cut off: the gzip member has no end")
        try:
            self._plain += self._inflate.decompress(self._raw, READ_BYTES)
        except zlib.error as error:
            raise DamagedError(self.offset, f"the gzip member is damaged ({error})") from error
        self._raw = self._inflate.unused_data if self._inflate.eof else self._inflate.unconsumed_tail
        return True

    def _take(self, length: int) -> bytes:
        data = bytes(memoryview(self._plain)[:length])
        del self._plain[:length]
        return data

    def _skip_newlines(self) -> None:
        """Pass the blank lines behind a record, up to the next one or the end of the member."""
        while True:
            kept = self._plain.lstrip(b"\r\n")
            if len(kept) != len(self._plain):
                self._plain = kept
            if self._plain or not self._fill():
                return
