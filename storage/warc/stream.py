"""The bytes of a WARC file record by record: gzip members, zstd frames or plain, with exact offsets, and with a way on behind damage.

The work is linear in the file, whatever its bytes are. What is read again behind damage is counted. Where it is too much, the stream
becomes wary: from then on a record ends where the next one begins, whatever its length says, and nothing is read twice.
"""

from __future__ import annotations

import re
import sys
from typing import BinaryIO

from storage.warc.member import BROKEN, GZIP, ZSTD, Member, PlainBytes, begins_with, new_member
from storage.warc.window import BACK_BYTES, READ_BYTES, Window

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

MAX_HEAD_BYTES = 256 * 1024
MAX_DICTIONARY_BYTES = 16 * 1024 * 1024
MAX_DICTIONARIES_BYTES = 256 * 1024 * 1024  # of one file, decoded
FREE_REREAD_BYTES = 16 * 1024 * 1024  # read again before a stream becomes wary; and twice the bytes of the file
FREE_DECODED_BYTES = 4 * 1024**3  # a file may decode to this much, and to MAX_RATIO times its own bytes: more is a bomb
MAX_RATIO = 100
FREE_BEHIND_BOMB_BYTES = 16 * 1024 * 1024  # behind the first bomb; half of it behind each further one
PROBE_BYTES = 1024  # of a gzip member are enough to see how it begins
ZSTD_PROBE_BYTES = 160 * 1024  # a whole block of a zstd frame, which gives nothing before it is complete

_SKIPPABLE = re.compile(rb"[\x50-\x5f]\x2a\x4d\x18")  # a zstd frame that is no data
_DICTIONARY = b"\x5d\x2a\x4d\x18"  # the one of them with the dictionary for the frames behind it
_VERSION = b"WARC/"
_START = rb"WARC/(?:1\.[01]|0\.1\d?)\r?\n(?=[A-Za-z][A-Za-z-]{0,40}:)"  # of a record: its first line, before the first field
_FIRST_LINE = re.compile(_START)
_CANDIDATE = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]|\x28\xb5\x2f\xfd|" + _START)
_MAX_START_BYTES = 64
_HEAD_END = re.compile(rb"\r?\n\r?\n")
_BLANK = re.compile(rb"[\r\n]*")


class DamagedError(Exception):
    """A record that is cut off or cannot be decoded; `offset` is where it begins in the file."""

    def __init__(self, offset: int, detail: str) -> None:
        super().__init__(detail)
        self.offset = offset


class RecordStream:
    """Decoded bytes of a WARC file, one record after the other.

    Call `begin`, then `read_head`, `read` or `skip`, and `end`; after a DamagedError call `resume`. A record does not reach over the end of
    its gzip member. Memory is bounded by a few pieces of READ_BYTES and what is asked for.
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
        self._is_read = True  # the record, to its end
        self._ignores_lengths = False  # the lengths in this member: a record ends where the next one begins
        self._single_pass = False  # of all members from here on
        self._member_is_single_pass = False
        self._is_bomb = False
        self._bombs = 0
        self._is_problem_reported = False  # the stream's problem
        self._reread_bytes = self._probed_bytes = self._decoded_bytes = 0

    @property
    def next_offset(self) -> int:
        """After `end`: where the next record begins in the file."""
        return self._raw.position - (self._unread if isinstance(self._member, PlainBytes) else 0)

    def begin(self) -> bool:
        """Go to the next record, over members that are empty; False at the end of the file."""
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
        """The head of the record up to the blank line, which is left out."""
        searched = 0
        while True:
            found = _HEAD_END.search(self._plain, self._at + searched)
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
                raise DamagedError(self.offset, f"cut off: {length - self._unread} bytes of the block are missing")
        if self._ignores_lengths:
            self._stop_at_next_record(length)
        data = bytes(memoryview(self._plain)[self._at : self._at + length])
        self._at += length
        return data

    def skip(self, length: int) -> None:
        """Pass over `length` bytes without keeping them."""
        while length > 0:
            length -= len(self.read(min(length, READ_BYTES)))

    def end(self, block: bytes | None = None) -> int:
        """Finish the record; the bytes that it takes in the file, its gzip member or its blank lines included.

        `block` is the record's block where all of it was read. When something else than a record follows and the block holds the
        beginning of one, or is not known, the record's length is wrong: raises DamagedError. 0 when the record shares its member with
        other records and so cannot be read alone.
        """
        self._skip_blank()
        if not self._is_followed_by_record() and (block is None or _FIRST_LINE.search(block) or self._ends_in_first_line()):
            raise DamagedError(self.offset, "its length is wrong: what follows is no record")
        self._is_read = True
        if not isinstance(self._member, PlainBytes) and self._unread:
            return 0
        return self.next_offset - self.offset

    def resume(self) -> bool:
        """Go behind the damage, to the next place that begins like a record; False when there is none."""
        if self._is_read:
            return True
        self._reread_bytes += max(self._raw.position - self.offset, 0)
        self._single_pass = self._single_pass or self._reread_bytes > FREE_REREAD_BYTES + 2 * (self._raw.furthest - self._raw.first)
        if not isinstance(self._member, PlainBytes | None) and self._find_in_member():
            return True
        if self._member is not None and self._member.ended:  # whole: the next one stands right behind it
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
        """Go to the next line in the decoded member that begins a record; False when there is none."""
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
            if self._raw.ready <= _MAX_START_BYTES and not self._raw.load():  # looking closer at a candidate may have loaded more
                return False

    def _has_unreported_problem(self) -> bool:
        """Whether the file ended too early and nobody was told: `begin` tells it then, behind all that is in memory."""
        self._raw.move(self._raw.ready)
        return self._raw.problem is not None and not self._is_problem_reported

    def _next_candidate(self, start: int, end: int) -> int | None:
        """How far ahead, from `start` to before `end`, a record or a member with one begins; None where none does."""
        while (ahead := self._raw.find(_CANDIDATE, start, end)) is not None:
            self._raw.ensure(ahead + PROBE_BYTES)
            if self._is_record_start(ahead):
                return ahead
            start = ahead + 1
        return None

    def _is_record_start(self, ahead: int) -> bool:
        """Whether a candidate is what it looks like. Of zstd a whole block must be read, which is done for a bounded number of them."""
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
        """Open what stands at the position, over skippable frames; False at the end of the file."""
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
        """Go back to the beginning of the member; False where the stream cannot."""
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
        """Pass by a frame that is no data, or take it as the dictionary that the next frames were compressed with."""
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
        """A dictionary, which may be compressed itself."""
        try:
            content = zstd.ZstdDecompressor().decompress(stored, MAX_DICTIONARY_BYTES) if stored.startswith(ZSTD) else stored
            self._dictionaries_bytes += len(content)
            return zstd.ZstdDict(content)
        except (zstd.ZstdError, ValueError) as error:
            raise DamagedError(self.offset, f"the zstd dictionary is damaged ({error})") from error

    def _fill(self) -> bool:
        """More decoded bytes of this member; False at its end or the file's."""
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
        """How many bytes the member may be fed next; 0 at the end of what is not compressed."""
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
            self._decoded_bytes = limit - max(FREE_BEHIND_BOMB_BYTES >> self._bombs, READ_BYTES)  # what follows may be none
            raise DamagedError(self.offset, f"a bomb: the file decodes to more than {MAX_RATIO} times its size")

    def _stop_at_next_record(self, length: int) -> None:
        """Go to the first line in the next `length` bytes that begins a record, if there is one: raises DamagedError."""
        found = _FIRST_LINE.search(self._plain, self._at, min(self._at + length + _MAX_START_BYTES, len(self._plain)))
        if found and found.start() < self._at + length:
            self._at = found.start()
            raise DamagedError(self.offset, "cut off: another record begins before its end")

    def _is_followed_by_record(self) -> bool:
        """Whether a record, a member or nothing more follows."""
        while self._unread < len(_VERSION) and self._fill():
            pass
        return not self._unread or self._plain.startswith((_VERSION, GZIP, ZSTD), self._at)

    def _ends_in_first_line(self) -> bool:
        """Whether the end of the record lies in the first line of another."""
        found = _FIRST_LINE.search(self._plain, max(self._at - _MAX_START_BYTES, 0))
        return found is not None and found.start() < self._at

    def _skip_blank(self) -> None:
        """Pass the blank lines behind a record, up to the next one or the end of the member."""
        while True:
            self._at = _BLANK.match(self._plain, self._at).end()  # type: ignore[union-attr]  # it always matches
            if self._unread or not self._fill():
                return
