"""Removes the Content-Encoding of a body: gzip, deflate, br and zstd. Limited in size, and robust against wrong labels and cut streams.

The work is linear in the size of the body and of the decoded body, which for each coding is at most the caller's limit.
"""

from __future__ import annotations

import re
import sys
import zlib
from collections.abc import Callable
from typing import Protocol

import brotli
from isal import igzip_lib, isal_zlib

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

DAMAGED_PIECE_BYTES = 512  # in which damage is looked for first
MAX_BLANKS = 100  # before a compressed body
MAX_CODINGS = 4  # real pages have one, seldom two
MAX_MEMBERS = 10_000  # gzip members or zstd frames of one body; further ones are left out
FIRST_PIECE_BYTES = 16 * 1024  # given to a decoder first; each further piece is twice as long, because the decoder copies what it leaves
LAST_PIECE_BYTES = 1024 * 1024

_GZIP_BITS = 31  # a window of 32 kB, with gzip's header and checksum
_GZIP = b"\x1f\x8b\x08"
_BLANKS = b"\r\n\t \xef\xbb\xbf"
_BEFORE_GZIP = frozenset(bytes([byte]) for byte in _BLANKS)
_ZSTD = b"\x28\xb5\x2f\xfd"
_NOTHING = frozenset({"identity", "none", "utf-8", "utf8", "binary"})
_KNOWN = frozenset({"gzip", "x-gzip", "deflate", "br", "zstd"})
_NOT_IN_TEXT = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_WIDE_TEXT = (b"\xff\xfe", b"\xfe\xff")
_BROKEN = (zlib.error, brotli.error, zstd.ZstdError, EOFError)


class CodingError(ValueError):
    """A body that cannot be decoded as its label says. The message gives the reason in one line."""


class _Decoder(Protocol):
    def decompress(self, data: memoryview, max_length: int, /) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...


class _Brotli:
    """The brotli decoder with the interface of the others."""

    unused_data = b""

    def __init__(self) -> None:
        self._decoder = brotli.Decompressor()

    def decompress(self, data: memoryview, max_length: int, /) -> bytes:
        return bytes(self._decoder.process(data, output_buffer_limit=max_length))

    @property
    def eof(self) -> bool:
        return bool(self._decoder.is_finished())


def decode_content(body: bytes, encoding: str | None, limit: int) -> bytes:
    """The body without its content codings, at most `limit` bytes of it.

    `encoding` is the Content-Encoding header. If it is wrong, the bytes decide: plain text with a label comes back as it is, known or
    not, and gzip is removed whatever the label says. Of a stream that is cut off or damaged, the part before the damage is returned.
    Raises CodingError for bytes in an unknown coding, and if not a single byte can be decoded.
    """
    codings = [coding.strip().lower() for coding in (encoding or "").split(",") if coding.strip()]
    if len(codings) > MAX_CODINGS:
        raise CodingError(f"{len(codings)} content codings on top of each other")
    for coding in reversed(codings):
        body = body if coding in _NOTHING else _remove_coding(body, coding, limit)
    for _ in range(MAX_CODINGS):  # twice compressed, or without a label
        start = _gzip_start(body)
        if start is None:
            break
        body = _members(body[start:], _GZIP, _gzip, limit)
    return body[:limit]


def _remove_coding(body: bytes, coding: str, limit: int) -> bytes:
    """The body without one coding. gzip and zstd are recognized by their first bytes, the others by the label."""
    if not body or limit <= 0:
        return b""
    start = _gzip_start(body)
    body = body[start:] if start else body
    if start is not None:
        return _single_gzip_member(body, limit) or _members(body, _GZIP, _gzip, limit)
    if body.startswith(_ZSTD):
        return _members(body, _ZSTD, zstd.ZstdDecompressor, limit)
    attempts: dict[str, tuple[Callable[[], _Decoder], ...]] = {"deflate": (zlib.decompressobj, _raw_deflate), "br": (_Brotli,)}
    is_zlib = coding in _KNOWN and body[:1] == b"\x78" and int.from_bytes(body[:2], "big") % 31 == 0  # RFC 1950, 2.2
    for new in attempts.get(coding, (zlib.decompressobj,) if is_zlib else ()):
        decoded, ended, _ = _decode(new, memoryview(body), limit)
        if ended or decoded:
            return decoded
    is_text = not _NOT_IN_TEXT.search(body[:1024]) or body.startswith(_WIDE_TEXT) or _is_charset(coding)
    for new in () if is_text else (_Brotli, _raw_deflate):  # codings without a mark, under another label
        decoded, ended, _ = _decode(new, memoryview(body), limit)
        if decoded and ended:
            return decoded
    if coding not in _KNOWN and not is_text:
        raise CodingError(f"unknown content coding '{coding[:40]}'")
    if not is_text and (b"\x00" in body[:1024] or not body.lstrip().startswith(b"<")):
        raise CodingError(f"the body is labelled '{coding}' but cannot be decoded from its first byte on")
    return body


def _gzip_start(body: bytes) -> int | None:
    """Where gzip begins: at once, or behind blanks and a byte order mark that a program printed before it. None if it does not."""
    if body[:1] in _BEFORE_GZIP:
        start = len(body) - len(body[:MAX_BLANKS].lstrip(_BLANKS) + body[MAX_BLANKS:])
        return start if body.startswith(_GZIP, start) else None
    return 0 if body.startswith(_GZIP) else None


def _is_charset(coding: str) -> bool:
    """Whether a coding is the name of a charset, which belongs to another header."""
    try:
        return bool("a".encode(coding))
    except (LookupError, ValueError, TypeError):
        return False


def _single_gzip_member(body: bytes, limit: int) -> bytes | None:
    """The body if it is a single whole member, as nearly all are, by a library twice as fast as zlib; otherwise None."""
    decoder = isal_zlib.decompressobj(_GZIP_BITS)
    try:
        decoded = decoder.decompress(body, limit)
    except igzip_lib.IsalError:  # type: ignore[misc]  # its stub takes the class for an instance
        return None
    return bytes(decoded) if decoder.eof and not decoder.unused_data else None


def _members(body: bytes, mark: bytes, new: Callable[[], _Decoder], limit: int) -> bytes:
    """All members or frames, one after the other; the rest is left out."""
    decoded = bytearray()
    read_any = False
    position = members = 0
    while body.startswith(mark, position) and len(decoded) < limit and members < MAX_MEMBERS:
        piece, ended, taken = _decode(new, memoryview(body)[position:], limit - len(decoded))
        decoded += piece
        read_any = read_any or ended or bool(piece)
        position += taken
        members += 1
    if not read_any:
        raise CodingError("the compressed body is cut off or damaged at its first byte")
    return bytes(decoded)


def _decode(new: Callable[[], _Decoder], body: memoryview, limit: int) -> tuple[bytes, bool, int]:
    """The decoded bytes, whether the stream is complete, and how many bytes of the body it takes."""
    decoder, decoded = new(), bytearray()
    position, size = 0, FIRST_PIECE_BYTES
    try:
        while position < len(body) and len(decoded) < limit and not decoder.eof:
            decoded += decoder.decompress(body[position : position + size], limit - len(decoded))
            position, size = min(position + size, len(body)), min(2 * size, LAST_PIECE_BYTES)
    except _BROKEN:
        return _decode_before_damage(new, body, limit), False, len(body)
    return bytes(decoded), decoder.eof, position - len(decoder.unused_data) if decoder.eof else len(body)


def _decode_before_damage(new: Callable[[], _Decoder], body: memoryview, limit: int) -> bytes:
    """The part before the damage, found by decoding small pieces, at the end of it byte by byte."""
    decoded, start = _decode_pieces(new(), body, limit, DAMAGED_PIECE_BYTES)
    again = new()
    if start:
        again.decompress(body[:start], limit)
    last, _ = _decode_pieces(again, body[start : start + DAMAGED_PIECE_BYTES], limit - len(decoded), 1)
    return decoded + last


def _decode_pieces(decoder: _Decoder, body: memoryview, limit: int, size: int) -> tuple[bytes, int]:
    """The decoded bytes before the piece with the damage, and where that begins."""
    decoded = bytearray()
    for start in range(0, len(body), size):
        if len(decoded) >= limit:
            return bytes(decoded), start
        try:
            decoded += decoder.decompress(body[start : start + size], limit - len(decoded))
        except _BROKEN:
            return bytes(decoded), start
    return bytes(decoded), len(body)


def _gzip() -> _Decoder:
    return zlib.decompressobj(_GZIP_BITS)


def _raw_deflate() -> _Decoder:
    return zlib.decompressobj(-zlib.MAX_WBITS)
