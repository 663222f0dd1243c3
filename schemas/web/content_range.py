"""Reads Content-Range headers, which say which part of a document a response with the status 206 has (RFC 9110, 14.4)."""

from __future__ import annotations

import re

from schemas.numbers import read_number

PARTIAL_CONTENT = 206
_BYTES = re.compile(r"\s*bytes\s+0-(\d+)/(\d+)\s*", re.IGNORECASE)


def is_part(status: int, content_range: str | None) -> bool:
    """Whether a response has only a part of its document. The answer to `Range: bytes=0-` has all of it."""
    if status != PARTIAL_CONTENT:
        return False
    match = _BYTES.fullmatch(content_range or "")
    last, size = (read_number(match[1]), read_number(match[2])) if match else (None, None)
    return last is None or last + 1 != size
