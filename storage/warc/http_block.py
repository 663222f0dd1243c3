"""The HTTP response in the block of a WARC record, as any tool writes it: interim responses, odd line ends, chunks that were left."""

from __future__ import annotations

import re

from schemas.capture import HeaderList
from storage.warc import records as warc

MAX_INTERIM = 20  # responses before the final one

HEAD_END = re.compile(rb"\r?\n\r?\n")
STATUS_LINE = re.compile(rb"(HTTP/[\d.]+|HTTP|ICY|h[23])[ \t]+(\d{3})(?!\d)[ \t]*([^\r\n]*)", re.IGNORECASE)
# before the final response, also that of a proxy to CONNECT
_INTERIM = re.compile(rb"HTTP/[\d.]+[ \t]+(?:1(?!01)\d\d(?!\d)|200 connection established)[^\r\n]*", re.IGNORECASE)
_CHUNK = re.compile(rb"[ \t]*([0-9A-Fa-f]{1,16})[ \t]*(?:;[^\r\n]*)?\r?\n")


def final_response(block: bytes) -> bytes:
    """The block without blank lines at its begin, and without the interim responses (1xx) that some tools store before the final one."""
    block = block.lstrip(b"\r\n") if block[:1] in {b"\r", b"\n"} else block
    position = 0
    for _ in range(MAX_INTERIM):
        found = _INTERIM.match(block, position)
        end = HEAD_END.search(block, found.end()) if found else None
        if end is None or not STATUS_LINE.match(block, end.end()):
            break
        position = end.end()
    return block[position:] if position else block


def header_lines(block: bytes) -> HeaderList:
    """Header lines as pairs, in order; folded lines are joined (RFC 9112, 5.2)."""
    names: list[bytes] = []
    values: list[list[bytes]] = []  # in parts: joining them line by line would take quadratic time
    for line in block.split(b"\n"):
        text = line.rstrip(b"\r")
        if text[:1] in {b" ", b"\t"} and names:
            values[-1].append(text.strip())
        elif text:
            name, _, value = text.partition(b":")
            names.append(name.rstrip())
            values.append([value.strip()])
    return tuple((name, parts[0] if len(parts) == 1 else b" ".join(filter(None, parts))) for name, parts in zip(names, values, strict=True))


def restored_headers(headers: HeaderList) -> HeaderList:
    """The headers as received: renamed ones get their names back, and a Content-Length that was added for them is removed."""
    restored: list[tuple[bytes, bytes]] = []
    added_length = has_length = False
    for name, value in headers:
        own = name[: len(warc.RENAMED)] == warc.RENAMED
        if own and name.lower().endswith(b"content-length"):
            added_length = not has_length
        if not own and added_length and name.lower() == b"content-length":
            added_length = False
            continue
        original = name[len(warc.RENAMED) :] if own else name
        has_length = has_length or original.lower() == b"content-length"
        restored.append((original, value))
    return tuple(restored)


def dechunked(headers: HeaderList, body: bytes) -> tuple[bytes, bool]:
    """The body without chunked coding, and whether its last chunk is there.

    Some files keep the coding; if the body is not really chunked, it stays as it is.
    """
    if not any(name.lower() == b"transfer-encoding" and b"chunked" in value.lower() for name, value in headers):
        return body, True
    pieces: list[bytes] = []
    position = 0
    while found := _CHUNK.match(body, position):
        size = int(found.group(1), 16)
        if size == 0:
            return b"".join(pieces), True
        pieces.append(body[found.end() : found.end() + size])
        position = found.end() + size
        if position >= len(body):
            return b"".join(pieces), False
        line_end = body[position : position + 2]
        if not line_end.startswith((b"\r\n", b"\n")):
            return body, True
        position += 2 if line_end == b"\r\n" else 1
    return (body, True) if position < len(body) or not pieces else (b"".join(pieces), False)
