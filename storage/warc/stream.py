"""Reads the bytes of a WARC file record by record, with exact offsets: gzip members, zstd frames or plain. Goes on after damage.

The work is linear in the size of the file, whatever its bytes are. Bytes that are read again after damage are counted. If there are too
many, the stream changes to a single pass: from then on a record ends where the next one begins, whatever its length says, and nothing is
read twice.
"""

from __future__ import annotations

import re
import sys
from typing import BinaryIO

from schemas.numbers import plural
from storage.warc.member_decoders import BROKEN, GZIP, ZSTD, Member, PlainBytes, begins_with, new_member
from storage.warc.window import BACK_BYTES, READ_BYTES, Window

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_HEAD_BYTES = 256 * 1024
MAX_DICTIONARY_BYTES = 16 * 1024 * 1024
MAX_DICTIONARIES_BYTES = 256 * 1024 * 1024  # of one file, decoded
FREE_REREAD_BYTES = 16 * 1024 * 1024  # read again before the single pass begins, plus twice the bytes of the file
FREE_DECODED_BYTES = 4 * 1024**3  # a file may decode to this much plus MAX_RATIO times its size; more is a decompression bomb
MAX_RATIO = 100
FREE_BEHIND_BOMB_BYTES = 16 * 1024 * 1024  # allowed after the first bomb, half as much after each further one
PROBE_BYTES = 1024  # of a gzip member; enough to decode its beginning
ZSTD_PROBE_BYTES = 160 * 1024  # a whole block of a zstd frame: the decoder gives nothing before it is complete

_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a zstd frame without data
_DICTIONARY = b"\x5d\x2a\x4d\x18"  # the skippable frame with the dictionary for the frames after it
_VERSION = b"WARC/"
_START = rb"WARC/(?:1\.[01]|0\.1\d?)\r?\n(?=[A-Za-z][A-Za-z-]{0,40}:)"  # the first line of a record, before its first field
_FIRST_LINE = re.compile(_START)
_CANDIDATE = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]|\x28\xb5\x2f\xfd|" + _START)
_MAX_START_BYTES = 64
HEAD_END = re.compile(rb"\r?\n\r?\n")
_BLANK = re.compile(rb"(?:\xef\xbb\xbf)?[\r\n\x00 \t]*")  # some tools fill up blocks with NUL, and editors write a byte order mark


def begins_record(data: bytes, start: int = 0) -> bool:
    """Whether a record begins anywhere in the bytes from `start` on."""
    return _FIRST_LINE.search(data, start) is not None


class DamagedError(Exception):
    """A record that is cut off or cannot be decoded; `offset` is where it begins in the file."""

    def __init__(self, offset: int, detail: str) -> None:
        super().__init__(detail)
        self.offset = offset


class RecordStream:
    """The decoded bytes of a WARC file, one record after the other.

    Call `begin`, then `read_head`, `read` or `skip`, and `end`; after a DamagedError call `resume`. A record ends with its gzip member at
    the latest. Memory holds a few times READ_BYTES, and what `read` returns.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._raw = Window(stream)
        self._member: Member | None = None
        self._member_at = self.offset = self._raw.position
        self._dictionary: zstd.ZstdDict | None = None
        self._dictionaries_bytes = 0
        self._plain = bytearray()  # decoded
        self._at = 0  # in _plain
        self._dropped_bytes = 0  # decoded bytes of the member before _plain
        self._record_at = 0  # decoded bytes of the member before the record
        self._is_read = True  # the current record, completely
        self._ignores_lengths = False  # in this member: a record ends where the next one begins
        self._single_pass = False  # from the next member on
        self._member_is_single_pass = False
        self._is_bomb = False
        self._bombs = 0
        self._is_problem_reported = False  # the problem of the raw stream
        self._reread_bytes = self._probed_bytes = self._decoded_bytes = 0

    @property
    def next_offset(self) -> int:
        """After `end`: the offset in the file where the next record begins."""
        return self._raw.position - (self._unread if isinstance(self._member, PlainBytes) else 0)

    def begin(self) -> bool:
        """Go to the next record; empty members are skipped. False at the end of the file."""
        self._is_read = False
        while True:
            self._skip_blank()
            if isinstance(self._member, PlainBytes) and self._plain.startswith((GZIP, ZSTD), self._at):
                self._raw.move(-self._unread)
                self._forget_member()
            if self._unread:
                if isinstance(self._member, PlainBytes):
                    self.offset = self.next_offset
                self._record_at = self._dropped_bytes + self._at
                return True
            if not self._open_member():
                return False

    def read_head(self) -> bytes:
        """The head of the record, without the blank line after it."""
        searched = 0
        while True:
            found = HEAD_END.search(self._plain, self._at + searched)
            if found:
                head = bytes(memoryview(self._plain)[self._at : found.start()])
                if _FIRST_LINE.search(head, 1):
                    raise DamagedError(self.offset, "the record's head has no end: another record begins in it")
                self._at = found.end()
                return head
            searched = max(self._unread - 3, 0)
            if self._unread > MAX_HEAD_BYTES or not self._fill():
                raise DamagedError(self.offset, "cut off in the record's head, or no head at all")

    def read(self, length: int) -> bytes:
        """`length` bytes of the record's block."""
        while self._unread < length:
            if not self._fill():
                raise DamagedError(self.offset, f"cut off: {plural(length - self._unread, 'byte', 'is', 'are')} missing in the block")
        if self._ignores_lengths:
            self._stop_at_next_record(length)
        data = bytes(memoryview(self._plain)[self._at : self._at + length])
        self._at += length
        return data

    def skip(self, length: int) -> None:
        """Skip `length` bytes."""
        while length > 0:
            length -= len(self.read(min(length, READ_BYTES)))

    def end(self, block: bytes | None = None) -> int:
        """Finish the record; returns how many bytes it takes in the file, with its gzip member or its blank lines.

        0 if the record shares its member with other records, so that it cannot be read alone. `block` is the whole block of the record, if
        it was read. Raises DamagedError if the record's length is wrong: if no record follows it, and the block contains the beginning of
        one or is not known.
        """
        self._skip_blank()
        if not self._is_followed_by_record() and (block is None or _FIRST_LINE.search(block) or self._ends_in_first_line()):
            raise DamagedError(self.offset, "its length is wrong: what follows is not a record")
        self._is_read = True
        if not isinstance(self._member, PlainBytes) and self._unread:
            return 0
        return self.next_offset - self.offset

    def resume(self) -> bool:
        """Go on after the damage, to the next place that begins like a record; False if there is none."""
        if self._is_read:
            return True
        self._reread_bytes += max(self._raw.position - self.offset, 0)
        self._single_pass = self._single_pass or self._reread_bytes > FREE_REREAD_BYTES + 2 * (self._raw.furthest - self._raw.first)
        if not isinstance(self._member, PlainBytes | None) and self._find_in_member():
            return True
        if self._member is not None and self._member.ended:  # the member is whole: the next one follows directly
            self._forget_member()
            return True
        if not self._member_is_single_pass:
            self._reread_bytes += self._raw.seek_back(self.offset + 1)
        self._forget_member()
        return self._find_in_file() or self._has_unreported_problem()

    @property
    def _unread(self) -> int:
        return len(self._plain) - self._at

    def _find_in_member(self) -> bool:
        """Go to the next line in the decoded member that begins a record; False if there is none."""
        behind = self._record_at + 1
        if not self._ignores_lengths and behind < self._dropped_bytes and not self._reopen_member():
            return False
        self._ignores_lengths = True
        try:
            while self._dropped_bytes + len(self._plain) < behind:
                self._at = len(self._plain)
                if not self._fill():
                    return False
            self._at = max(self._at if self._dropped_bytes > behind else 0, behind - self._dropped_bytes)
            while (found := _FIRST_LINE.search(self._plain, self._at)) is None:
                self._at = max(self._at, len(self._plain) - _MAX_START_BYTES)
                if not self._fill():
                    return False
        except DamagedError:
            return False
        self._at = found.start()
        return True

    def _find_in_file(self) -> bool:
        """Go to the next place in the file that looks like the beginning of a record or of a member with one."""
        while True:
            end = self._raw.ready
            ahead = self._next_candidate(0, end)
            if ahead is not None:
                self._raw.move(ahead)
                return True
            self._raw.move(max(end - _MAX_START_BYTES, 0))
            if self._raw.ready <= _MAX_START_BYTES and not self._raw.load():  # checking a candidate may have loaded more
                return False

    def _has_unreported_problem(self) -> bool:
        """Whether the raw stream ended too early and this was not reported yet. Then `begin` reports it."""
        self._raw.move(self._raw.ready)
        return self._raw.problem is not None and not self._is_problem_reported

    def _next_candidate(self, start: int, end: int) -> int | None:
        """How many bytes ahead, in [start, end), a record or a member with one begins; None if there is none."""
        while (ahead := self._raw.find(_CANDIDATE, start, end)) is not None:
            self._raw.ensure(ahead + PROBE_BYTES)
            if self._is_record_start(ahead):
                return ahead
            start = ahead + 1
        return None

    def _is_record_start(self, ahead: int) -> bool:
        """Whether a record really begins at a candidate. For zstd a whole block is read, for a limited number of candidates."""
        start = self._raw.peek(PROBE_BYTES, ahead)
        if start.startswith(_VERSION):
            return True
        is_start = begins_with(start, _VERSION, self._dictionary)
        if is_start is None and start.startswith(ZSTD) and self._probed_bytes <= FREE_REREAD_BYTES + 4 * self._raw.furthest:
            self._probed_bytes += ZSTD_PROBE_BYTES
            self._raw.ensure(ahead + ZSTD_PROBE_BYTES)
            is_start = begins_with(self._raw.peek(ZSTD_PROBE_BYTES, ahead), _VERSION, self._dictionary)
        return bool(is_start)

    def _open_member(self) -> bool:
        """Open the member at the position, after any skippable frames; False at the end of the file."""
        self._forget_member()
        while self._raw.ensure(len(ZSTD)) or self._raw.ready:
            start = self._raw.peek(8)
            self._member_at = self.offset = self._raw.position
            if not _SKIPPABLE.match(start):
                self._member = new_member(start, self._dictionary)
                self._ignores_lengths = self._member_is_single_pass = self._single_pass
                return True
            self._skip_frame(start)
        if self._raw.problem and not self._is_problem_reported:
            self._is_problem_reported, self.offset = True, self._raw.position
            raise DamagedError(self._raw.position, self._raw.problem)
        return False

    def _reopen_member(self) -> bool:
        """Go back to the beginning of the member; False if the stream cannot do that."""
        self._reread_bytes += self._raw.seek_back(self._member_at)
        if self._raw.position != self._member_at or self._is_bomb:
            return False
        self._forget_member()
        self._raw.ensure(len(ZSTD))
        self._member = new_member(self._raw.peek(8), self._dictionary)
        return True

    def _forget_member(self) -> None:
        self._member = None
        self._plain.clear()
        self._at = self._dropped_bytes = self._record_at = 0
        self._is_bomb = False

    def _skip_frame(self, start: bytes) -> None:
        """Skip a frame without data; if it is the dictionary of the next frames, take it."""
        self._raw.ensure(8)
        length = int.from_bytes(self._raw.peek(8)[4:], "little")
        if not start.startswith(_DICTIONARY) or self._dictionaries_bytes > MAX_DICTIONARIES_BYTES:
            self._raw.skip(8 + length)
            return
        if length > MAX_DICTIONARY_BYTES:
            raise DamagedError(self.offset, "a zstd dictionary of more than 16 MiB")
        self._raw.ensure(8 + length)
        self._dictionary = self._read_dictionary(self._raw.peek(length, 8))
        self._raw.skip(8 + length)

    def _read_dictionary(self, stored: bytes) -> zstd.ZstdDict:
        """A dictionary; it may be compressed itself."""
        try:
            content = zstd.ZstdDecompressor().decompress(stored, MAX_DICTIONARY_BYTES) if stored.startswith(ZSTD) else stored
            self._dictionaries_bytes += len(content)
            return zstd.ZstdDict(content)
        except (zstd.ZstdError, ValueError) as error:
            raise DamagedError(self.offset, f"the zstd dictionary is damaged ({error})") from error

    def _fill(self) -> bool:
        """Decode more bytes of this member; False at its end or at the end of the file."""
        member = self._member
        if member is None or member.ended:
            return False
        piece = b""
        if member.input_size:
            count = self._input_size(member)
            if count == 0:
                return False
            piece = self._raw.peek(count)
            self._raw.move(count)
        try:
            decoded, left = member.decode(piece, READ_BYTES)
        except BROKEN as error:
            raise DamagedError(self.offset, f"the compressed member is damaged ({error})") from error
        self._raw.move(-left)
        self._add(decoded)
        return True

    def _input_size(self, member: Member) -> int:
        """How many bytes the member gets next; 0 at the end of uncompressed bytes."""
        if not self._raw.ready and not self._raw.load():
            if isinstance(member, PlainBytes):
                return 0
            raise DamagedError(self.offset, "cut off: the compressed member has no end")
        count = min(member.input_size, self._raw.ready)
        if not self._member_is_single_pass:
            return count
        self._raw.ensure(count + PROBE_BYTES)
        start = 1 if self._raw.position == self._member_at else 0
        ahead = self._next_candidate(start, count)
        if ahead == 0:
            if not isinstance(member, PlainBytes):
                raise DamagedError(self.offset, "cut off: another record begins inside its compressed member")
            member.stop()
        return count if ahead is None else ahead

    def _add(self, decoded: bytes) -> None:
        if self._at > BACK_BYTES:
            self._dropped_bytes += self._at
            del self._plain[: self._at]
            self._at = 0
        self._plain += decoded
        self._decoded_bytes += len(decoded)
        limit = FREE_DECODED_BYTES + MAX_RATIO * (self._raw.furthest - self._raw.first)
        if self._decoded_bytes > limit and not isinstance(self._member, PlainBytes):
            self._is_bomb = True
            self._bombs += 1
            self._decoded_bytes = limit - max(FREE_BEHIND_BOMB_BYTES >> self._bombs, READ_BYTES)  # the rest of the file may be no bomb
            raise DamagedError(self.offset, f"a bomb: the file decodes to more than {MAX_RATIO} times its size")

    def _stop_at_next_record(self, length: int) -> None:
        """If a record begins within the next `length` bytes, go there and raise DamagedError."""
        found = _FIRST_LINE.search(self._plain, self._at, min(self._at + length + _MAX_START_BYTES, len(self._plain)))
        if found and found.start() < self._at + length:
            self._at = found.start()
            raise DamagedError(self.offset, "cut off: another record begins before its end")

    def _is_followed_by_record(self) -> bool:
        """Whether a record, a member or the end of the file follows."""
        while self._unread < len(_VERSION) and self._fill():
            pass
        return not self._unread or self._plain.startswith((_VERSION, GZIP, ZSTD), self._at)

    def _ends_in_first_line(self) -> bool:
        """Whether the record ends inside the first line of another one."""
        found = _FIRST_LINE.search(self._plain, max(self._at - _MAX_START_BYTES, 0))
        return found is not None and found.start() < self._at

    def _skip_blank(self) -> None:
        """Skip the blank lines after a record, up to the next one or the end of the member."""
        while True:
            self._at = _BLANK.match(self._plain, self._at).end()  # type: ignore[union-attr]  # it always matches
            if self._unread or not self._fill():
                return
