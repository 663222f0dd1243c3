"""The bytes of WARC/1.1 records: heads, HTTP blocks, digests and gzip members (ISO 28500:2017)."""

from __future__ import annotations

import base64
import hashlib
import re
import struct
import uuid
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import urlsplit

from isal import isal_zlib

from schemas.capture import Capture, HeaderList

NOT_MODIFIED = "http://netpreserve.org/warc/1.1/revisit/server-not-modified"
IDENTICAL_PAYLOAD = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
RENAMED = b"X-Crawler-"
HTTP_RESPONSE = "application/http;msgtype=response"
HTTP_REQUEST = "application/http;msgtype=request"
WARC_FIELDS = "application/warc-fields"
RENDERED_HTML = "text/html; charset=utf-8"

GZIP_LEVEL = 6
LARGE_BODY_BYTES = 256 * 1024  # larger bodies are compressed in a twentieth of the time, to a size that is a tenth larger
HEAD_WINDOW_BITS, HEAD_MEMORY_LEVEL = 12, 5  # 32 kB of memory to compress a head instead of 256 kB, which took longer to set up than to use
STORED_BLOCK_BYTES = 65535

_GZIP_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_END = b"\r\n\r\n"
_BARE_NEWLINE = re.compile(rb"\r?\n(?![ \t])|\r(?!\n)|\x00")
_UNSAFE_IN_URL = re.compile(r"[\x00-\x20\x7f\ud800-\udfff]")
_STATUS_PROTOCOL = re.compile(r"HTTP/\d(?:\.\d)?")
_BODYLESS = frozenset({204, 304})

Field = tuple[str, str | None]


def warc_date(moment: datetime) -> str:
    """A WARC-Date with microseconds, UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_date(text: str) -> datetime:
    """A WARC-Date of any precision as an aware datetime in UTC. Raises ValueError."""
    moment = datetime.fromisoformat(text.strip())
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError as error:  # in UTC it is before the year 1 or after 9999
        raise ValueError(f"{text.strip()} is outside the years 1 to 9999") from error


_COMPACT_DATE = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?\d{0,6}\Z")
_MONTH = re.compile(r"(\d{4})(?:-(\d\d))?Z?\Z")
_LEAP_SECOND = re.compile(r"(T\d\d:\d\d):60")


def parse_foreign_date(text: str) -> datetime:
    """A date of a record as any tool writes it: also as digits alone, with a leap second, or of a year or a month. Raises ValueError."""
    text = text.strip().upper()
    if (coarse := _MONTH.match(text)) is not None:  # WARC/1.1, 5.4: of any precision
        return datetime(int(coarse[1]), int(coarse[2] or 1), 1, tzinfo=UTC)
    compact = _COMPACT_DATE.match(text)
    if compact is None:
        return parse_date(_LEAP_SECOND.sub(r"\1:59", text))
    year, month, day, hour, minute, second = (int(part or 0) for part in compact.groups())
    return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)


def record_id(kind: str, warc_filename: str, date: str, url: str) -> str:
    """The id of a record, made from fields of the capture index, so that a later revisit record can refer to it.

    `kind` of a response or revisit is `answer`: ids of earlier files were made so, and revisits refer to them.
    """
    return f"<urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind} {warc_filename} {date} {url}')}>"


def sha1(*parts: bytes) -> str:
    """`sha1:` and base32, as WARC digests are written."""
    made = hashlib.sha1(usedforsecurity=False)
    for part in parts:
        made.update(part)
    return "sha1:" + base64.b32encode(made.digest()).decode()


def safe_url(url: str) -> str:
    """A URL that fits on a header line: blanks, control characters and lone surrogates are percent-encoded."""
    if url.isascii() and url.isprintable() and " " not in url:
        return url
    return _UNSAFE_IN_URL.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode("utf-8", "surrogatepass")), url)


def one_line(text: str | None) -> str | None:
    """A text that fits on a header line: whitespace is joined, lone surrogates are replaced; None if nothing is left."""
    folded = " ".join((text or "").replace("\x00", " ").split())
    return folded.encode("utf-8", "replace").decode() or None


def head(record_type: str, fields: Iterable[Field], length: int) -> bytes:
    """The head of a record with a block of `length` bytes, with its blank line. Fields that are None are left out."""
    lines = [f"WARC/1.1\r\nWARC-Type: {record_type}"]
    lines += [f"{name}: {value}" for name, value in fields if value is not None]
    lines.append(f"Content-Length: {length}\r\n\r\n")
    return "\r\n".join(lines).encode()


def warc_fields(fields: Iterable[Field]) -> bytes:
    """A block of application/warc-fields."""
    return "".join(f"{name}: {value}\r\n" for name, value in fields if value is not None).encode()


def request_block(capture: Capture, withheld: frozenset[bytes]) -> bytes:
    """The request as sent, without the withheld headers (lower-case names). It is HTTP/1.1, whatever the response's status line says."""
    parts = urlsplit(capture.url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    sent = tuple((name, value) for name, value in capture.request_headers if name.lower() not in withheld)
    return f"{capture.method} {target} HTTP/1.1\r\n".encode() + _header_lines(sent) + capture.request_body


def response_head(capture: Capture, with_body: bool) -> bytes:
    """Status line and headers as received, with the blank line.

    Transfer-Encoding, which the body does not have any more, is renamed to `X-Crawler-Transfer-Encoding`. With `with_body`, a wrong
    Content-Length is renamed in the same way and followed by the true one, so that every reader takes the same bytes.
    """
    protocol = capture.protocol if _STATUS_PROTOCOL.fullmatch(capture.protocol) else "HTTP/1.1"
    reason = _BARE_NEWLINE.sub(b" ", capture.reason.encode("utf-8", "surrogateescape"))
    headers = tuple(_renamed_headers(capture, with_body and capture.status not in _BODYLESS and capture.method != "HEAD"))
    return b"%s %d %s\r\n" % (protocol.encode(), capture.status, reason) + _header_lines(headers)


def member(record_head: bytes, block_head: bytes, body: bytes = b"", compress_body: bool = True) -> bytes:
    """One record as a gzip member. A body that is compressed already is stored without compression: a second one would gain nothing."""
    text = record_head + block_head
    if body and compress_body:
        deflate = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
    else:
        deflate = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, -HEAD_WINDOW_BITS, HEAD_MEMORY_LEVEL)
    if compress_body or not body:
        whole = text + body + _END
        check, size = zlib.crc32(whole), len(whole)
        data = _deflated(whole) if len(body) > LARGE_BODY_BYTES else deflate.compress(whole) + deflate.flush()
    else:
        check, size = zlib.crc32(_END, zlib.crc32(body, zlib.crc32(text))), len(text) + len(body) + len(_END)
        data = deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH) + stored_blocks(body + _END)
    return b"".join((_GZIP_HEAD, data, struct.pack("<LL", check, size & 0xFFFFFFFF)))


def _deflated(data: bytes) -> bytes:
    """A raw deflate stream, by a library that takes a twentieth of zlib's time."""
    deflate = isal_zlib.compressobj(isal_zlib.ISAL_BEST_COMPRESSION, isal_zlib.DEFLATED, -isal_zlib.MAX_WBITS)
    return bytes(deflate.compress(data)) + bytes(deflate.flush())


def stored_blocks(data: bytes) -> bytes:
    """Deflate blocks of type "stored" (RFC 1951, 3.2.4); the last one is marked as final."""
    blocks = []
    for start in range(0, len(data), STORED_BLOCK_BYTES):
        piece = data[start : start + STORED_BLOCK_BYTES]
        final = start + STORED_BLOCK_BYTES >= len(data)
        blocks += [struct.pack("<BHH", final, len(piece), len(piece) ^ 0xFFFF), piece]
    return b"".join(blocks)


def _renamed_headers(capture: Capture, with_length: bool) -> Iterable[tuple[bytes, bytes]]:
    true_length = b"%d" % len(capture.body)
    has_length = not with_length
    for name, value in capture.response_headers:
        lower = name.lower()
        if lower == b"transfer-encoding":
            yield RENAMED + name, value
        elif lower == b"content-length" and with_length and value.strip() != true_length:
            yield RENAMED + name, value
            if not has_length:
                yield name, true_length
            has_length = True
        else:
            has_length = has_length or lower == b"content-length"
            yield name, value


def _header_lines(headers: HeaderList) -> bytes:
    lines = b"".join([b"%s: %s\r\n" % pair for pair in headers])
    if lines.count(b"\n") != len(headers) or b"\x00" in lines or lines.count(b"\r") != len(headers):
        lines = b"".join([b"%s: %s\r\n" % (_BARE_NEWLINE.sub(b" ", name), _BARE_NEWLINE.sub(b" ", value)) for name, value in headers])
    return lines + b"\r\n"
