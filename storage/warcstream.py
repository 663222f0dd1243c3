"""The bytes of a WARC file record by record: gzip members or plain, with exact offsets, and with a way on behind damage."""

from __future__ import annotations

import sys
import zlib
from typing import BinaryIO

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

READ_BYTES = 256 * 1024
MAX_HEAD_BYTES = 256 * 1024
MAX_DICTIONARY_BYTES = 16 * 1024 * 1024

_GZIP = b"\x1f\x8b\x08"
_ZSTD = b"\x28\xb5\x2f\xfd"
_DICTIONARY = b"\x5d\x2a\x4d\x18"  # a skippable frame at the beginning of a file
_VERSION = b"WARC/"


class DamagedError(Exception):
    """A record that is cut off or cannot be decoded; `offset` is where it begins in the file."""

    def __init__(self, offset: int, detail: str) -> None:
        super().__init__(detail)
        self.offset = offset


class ZstdFrame:
    """A zstd decompressor with zlib's interface; a frame is what a member is to gzip."""

    def __init__(self, dictionary: zstd.ZstdDict | None) -> None:
        self._decoder = zstd.ZstdDecompressor(dictionary)
        self.unconsumed_tail = b""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """At most so many bytes; the decoder keeps what it did not need of the data."""
        return self._decoder.decompress(data, max_length)

    @property
    def eof(self) -> bool:
        """Whether the frame has ended."""
        return self._decoder.eof

    @property
    def unused_data(self) -> bytes:
        """What came behind the frame."""
        return self._decoder.unused_data

    @property
    def needs_input(self) -> bool:
        """Whether all that it was given is out."""
        return self._decoder.needs_input


class RecordStream:
    """Decompressed bytes of a WARC file, one record after the other.

    Call `begin`, then `read_head`, `read` or `skip`, and `end`; after a DamagedError call `resume`. A record does not reach over the end of
    its gzip member. Memory is bounded by READ_BYTES and what is asked for.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._raw = b""
        self._raw_end = stream.tell() if stream.seekable() else 0
        self._inflate: zlib._Decompress | ZstdFrame | None = None
        self._dictionary: zstd.ZstdDict | None = None
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
            places = [place for mark in (_GZIP, _ZSTD, _VERSION) if (place := self._raw.find(mark)) >= 0]
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
        member = ZstdFrame(self._dictionary) if self._raw.startswith(_ZSTD) else zlib.decompressobj(31)
        try:
            return member.decompress(self._raw[:READ_BYTES], 16).startswith(_VERSION)
        except (zlib.error, zstd.ZstdError):
            return False

    def _open_member(self) -> bool:
        while len(self._raw) < len(_ZSTD) and self._load():
            pass
        if not self._raw:
            return False
        if self._raw.startswith(_DICTIONARY):
            self._dictionary = self._read_dictionary()
            return self.begin()
        if self._raw.startswith(_ZSTD):
            self._inflate = ZstdFrame(self._dictionary)
        elif self._raw.startswith(_GZIP[:2]):
            self._inflate = zlib.decompressobj(31)
        else:
            self._inflate = None
            self._plain += self._raw
            self._raw = b""
        self._inside = True
        return True

    def _read_dictionary(self) -> zstd.ZstdDict:
        """The dictionary that the frames of a file were compressed with; it may be compressed itself."""
        while len(self._raw) < 8 and self._load():
            pass
        end = 8 + int.from_bytes(self._raw[4:8], "little")
        if end > MAX_DICTIONARY_BYTES:
            raise DamagedError(self.offset, "a zstd dictionary of more than 16 MiB")
        while len(self._raw) < end and self._load():
            pass
        stored, self._raw = self._raw[8:end], self._raw[end:]
        try:
            return zstd.ZstdDict(zstd.decompress(stored) if stored.startswith(_ZSTD) else stored)
        except (zstd.ZstdError, ValueError) as error:
            raise DamagedError(self.offset, f"the zstd dictionary is damaged ({error})") from error

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
        held = isinstance(self._inflate, ZstdFrame) and not self._inflate.needs_input
        if not self._raw and not held and not self._load():
            raise DamagedError(self.offset, "cut off: the compressed member has no end")
        try:
            self._plain += self._inflate.decompress(self._raw, READ_BYTES)
        except (zlib.error, zstd.ZstdError) as error:
            raise DamagedError(self.offset, f"the compressed member is damaged ({error})") from error
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
