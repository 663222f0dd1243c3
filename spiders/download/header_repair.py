"""Mends heads of responses that browsers and curl take, and aiohttp's parser does not.

What is archived are the header lines as they came (`received_headers`). Only the parser gets the mended head: one Content-Length where all
are equal, none beside `chunked` (RFC 9112, 6.3), no line without a name, no blanks before a colon, no bytes that a value must not have.
Two Content-Lengths that differ stay, and the response is refused: nobody can know where its body ends.
"""

from __future__ import annotations

import re

from schemas.capture import HeaderList

HEAD_END = re.compile(rb"\r?\n\r?\n")
MAX_LENGTH_DIGITS = 18  # as many as browsers can count; with a longer one the body ends with the connection
MAX_HEAD_BYTES = 1024 * 1024  # of all lines together; a longer head is refused
_STRICT = re.compile(rb"HTTP/1\.[01] \d{3} [\t\x20-\x7e\x80-\xff]*\r\n(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e\x80-\xff]*\r\n)*\r\n")
_STATUS = re.compile(rb"HTTP/(\d(?:\.\d)?)[ \t]+(\d{3})(?!\d)[ \t]*([^\r\n]*)", re.IGNORECASE)
_PARAMETERS = re.compile(rb"\A[\"']|[\s\"';].*", re.DOTALL)  # `"chunked"`, `chunked;q=1`
_NAME = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_FRAMING = re.compile(rb"\n(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)
_ODD_FRAMING = re.compile(rb"\n(?:content-length:(?![ \t]*\d{1,18}[ \t]*\r)|transfer-encoding:(?![ \t]*chunked[ \t]*\r))", re.IGNORECASE)
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")


def is_strict(head: bytes) -> bool:
    """Whether the parser takes a head, with its blank line, as it is."""
    return len(_FRAMING.findall(head)) < 2 and not _ODD_FRAMING.search(head) and _STRICT.fullmatch(head) is not None


def mended_head(head: bytes) -> bytes:
    """A head, with its blank line, for the strict parser. One that does not begin like HTTP stays as it is."""
    status = _STATUS.match(head)
    if status is None:
        return head
    version = b"1.0" if status[1] == b"1.0" else b"1.1"
    lines = [b"HTTP/%s %s %s" % (version, status[2], _FORBIDDEN.sub(b" ", status[3]))]
    headers = [(name.rstrip(), _FORBIDDEN.sub(b" ", value)) for name, value in received_headers(head)]
    lines += [b"%s: %s" % pair for pair in _framed([pair for pair in headers if _NAME.match(pair[0])])]
    return b"\r\n".join(lines) + b"\r\n\r\n"


def received_headers(head: bytes) -> HeaderList:
    """The header lines of a head as they came. Folded lines are joined; a line without a colon is a name without a value."""
    names: list[bytes] = []
    values: list[list[bytes]] = []
    for line in head.split(b"\n")[1:]:
        text = line.rstrip(b"\r")
        if text[:1] in {b" ", b"\t"} and names:
            values[-1].append(text.strip())
        elif text.strip():
            name, _, value = text.lstrip().partition(b":")
            names.append(name)
            values.append([value.strip()])
    return tuple((name, b" ".join(filter(None, parts))) for name, parts in zip(names, values, strict=True))


def _framed(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """The headers with one statement of where the body ends."""
    codings = [_PARAMETERS.sub(b"", coding) for coding in _tokens(headers, b"transfer-encoding", lower=True)]
    lengths = [length for length in _tokens(headers, b"content-length") if length.isdigit() and len(length) <= MAX_LENGTH_DIGITS]
    kept = [pair for pair in headers if pair[0].lower() not in {b"content-length", b"transfer-encoding"}]
    codings = [coding for coding in dict.fromkeys(codings) if coding not in {b"", b"identity"}]
    if codings:
        return [*kept, (b"Transfer-Encoding", b", ".join(codings))]
    return [*kept, *((b"Content-Length", length) for length in dict.fromkeys(lengths))]


def _tokens(headers: list[tuple[bytes, bytes]], wanted: bytes, lower: bool = False) -> list[bytes]:
    """The comma-separated parts of all headers of a name."""
    parts = (part.strip() for name, value in headers if name.lower() == wanted for part in value.split(b","))
    return [part.lower() if lower else part for part in parts if part]
