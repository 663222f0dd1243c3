"""Erase records of a WARC file: each is replaced by a record of the same length that says so, and all others stay where they are.

Source: gzip's header with a comment (RFC 1952, 2.3.1) and stored blocks (RFC 1951, 3.2.4) pad a member to any length.
"""

from __future__ import annotations

import re
import struct
import uuid
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from schemas.errors import StorageError
from schemas.numbers import read_number
from storage.warc.reader import CONTEXT_KINDS, MAX_CONTEXT_BYTES, Fields, parse_fields
from storage.warc.records import STORED_BLOCK_BYTES, WARC_FIELDS, head, sha1, stored_blocks
from storage.warc.stream import DamagedError, RecordStream

ERASED = b"erased: yes\r\n"
WITH_MENTIONS = frozenset({"metadata", "request"})  # kinds of records that may name the page on which a URL was found
NO_DATE = "1970-01-01T00:00:00Z"  # of a record that cannot be read
COMMENTED = 0x10  # the flag of a gzip member with a comment
FIXED_BYTES = 18  # of a gzip member: its head, its checksum and its length
BLOCK_HEAD_BYTES = 5  # of a stored block
_END = b"\r\n\r\n"
_BLOCK_DIGEST = re.compile(rb"(?im)^(warc-block-digest: )[^\r\n]*")
_LENGTH = re.compile(rb"(?im)^(content-length: )[^\r\n]*")

Edits = dict[int, bytes]  # what stands at an offset from now on
IsCovered = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class _Place:
    """A record: where it is, its date, and its decoded head and block (empty if the block was not read)."""

    offset: int
    length: int
    fields: Fields
    head: bytes
    block: bytes

    @property
    def kind(self) -> str:
        """Its WARC-Type."""
        return self.fields.get("warc-type", "").lower()

    @property
    def url(self) -> str:
        """Its WARC-Target-URI."""
        return self.fields.get("warc-target-uri", "").strip("<> ")


def tombstone(warc_filename: str, offset: int, length: int, date: str) -> bytes:
    """A metadata record of `length` bytes that says that the record at this offset was erased. It is always the same.

    Raises StorageError if no record is so short.
    """
    identity = f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'erased {warc_filename} {offset}')}>"
    fields = [("WARC-Record-ID", identity), ("WARC-Date", date), ("Content-Type", WARC_FIELDS)]
    shortest = _stored_length(len(_whole(fields, 0)))
    if shortest > length:
        made = member_of_length(_whole(fields, None), length)
        if made is None:
            raise StorageError(f"{warc_filename} has a record of {length} bytes at {offset}: too short to say that it was erased.")
        return made
    padding = length - shortest
    while _stored_length(len(_whole(fields, padding))) > length:
        padding -= 1
    text = _whole(fields, padding)
    return _member(text, stored_blocks(text), length)


def member_of_length(text: bytes, length: int) -> bytes | None:
    """A gzip member of exactly `length` bytes with this text; None if it does not fit."""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    data = deflate.compress(text) + deflate.flush()
    return _member(text, data, length) if FIXED_BYTES + len(data) <= length else None


def find_edits(
    stream: BinaryIO, warc_filename: str, erased: Mapping[int, int], is_covered: IsCovered, mentions: Callable[[str], bool]
) -> Edits:
    """What must be written over a segment.

    Tombstones take the place of the records at the offsets `erased` (with their lengths), of the requests and metadata before them, and of
    every other record of a URL that `is_covered`. The requests and metadata of other captures lose the lines that mention such a URL.
    """

    def edited(one: _Place, main: _Place, is_erased: bool) -> bytes | None:
        is_gone = is_covered(one.url) or (is_erased and (one is main or (one.url and one.url == main.url)))
        if not is_gone and not (one.kind in WITH_MENTIONS and mentions(one.block.decode("utf-8", "replace"))):
            return None
        made = None if is_gone else _without_mentions(one, mentions)
        return made or tombstone(warc_filename, one.offset, one.length, one.fields.get("warc-date", NO_DATE))

    edits: Edits = {}
    pending: list[_Place] = []
    done: set[int] = set()
    for place in _places(stream):
        if place.block.startswith(ERASED):
            done.add(place.offset)
        elif place.kind in CONTEXT_KINDS:
            pending.append(place)
        else:
            is_erased = place.offset in erased or is_covered(place.url)
            edits |= {one.offset: made for one in [*pending, place] if (made := edited(one, place, is_erased))}
            pending = []
    for offset in erased.keys() - edits.keys() - done:  # damaged records
        edits[offset] = tombstone(warc_filename, offset, erased[offset], NO_DATE)
    return edits


def write_edited(stream: BinaryIO, out: BinaryIO, edits: Edits, copy_bytes: int = 1 << 20) -> None:
    """Copy a segment with its edits."""
    position = 0
    for offset in sorted(edits):
        _copy(stream, out, offset - position, copy_bytes)
        out.write(edits[offset])
        position = offset + len(edits[offset])
        stream.seek(position)
    _copy(stream, out, None, copy_bytes)


def _places(stream: BinaryIO) -> Iterator[_Place]:
    """The whole records of a file that can be read alone."""
    records = RecordStream(stream)
    while True:
        try:
            if not records.begin():
                return
            place = _read_place(records)
        except DamagedError:
            place = None
        if place is not None and place.length:
            yield place
        if not records.resume():
            return


def _read_place(records: RecordStream) -> _Place:
    text = records.read_head()
    fields = parse_fields(text.partition(b"\n")[2])
    length = read_number(fields.get("content-length")) or 0
    wanted = fields.get("warc-type", "").lower() in WITH_MENTIONS and length <= MAX_CONTEXT_BYTES
    block = records.read(length) if wanted else b""
    records.skip(length - len(block))
    return _Place(records.offset, records.end(block if len(block) == length else None), fields, text, block)


def _without_mentions(place: _Place, mentions: Callable[[str], bool]) -> bytes | None:
    """A record of the same length without the lines that mention a URL; None if that does not fit."""
    lines = place.block.split(b"\r\n")
    block = b"\r\n".join(line for line in lines if not mentions(line.decode("utf-8", "replace")))
    text = _LENGTH.sub(rb"\g<1>%d" % len(block), _BLOCK_DIGEST.sub(rb"\g<1>" + sha1(block).encode(), place.head))
    return member_of_length(text + _END + block + _END, place.length)


def _whole(fields: list[tuple[str, str]], padding: int | None) -> bytes:
    """The tombstone's record; `padding` is the length of a field that makes it longer, None for none."""
    block = ERASED if padding is None else ERASED + b"padding: " + b"." * padding + b"\r\n"
    return head("metadata", fields, len(block)) + block + _END


def _stored_length(size: int) -> int:
    return FIXED_BYTES + size + BLOCK_HEAD_BYTES * -(-size // STORED_BLOCK_BYTES)


def _member(text: bytes, data: bytes, length: int) -> bytes:
    """A gzip member; a comment fills what is missing to its length."""
    missing = length - FIXED_BYTES - len(data)
    comment = b" " * (missing - 1) + b"\0" if missing else b""
    start = struct.pack("<HBBLBB", 0x8B1F, 8, COMMENTED if missing else 0, 0, 0, 255)
    return b"".join((start, comment, data, struct.pack("<LL", zlib.crc32(text), len(text) & 0xFFFFFFFF)))


def _copy(stream: BinaryIO, out: BinaryIO, length: int | None, copy_bytes: int) -> None:
    while length is None or length > 0:
        part = stream.read(copy_bytes if length is None else min(length, copy_bytes))
        if not part:
            return
        out.write(part)
        length = None if length is None else length - len(part)
