"""Reads Content-Range headers, which say which part of a document a response with the status 206 has (RFC 9110, 14.4)."""

from __future__ import annotations

import re

PARTIAL_CONTENT = 206
_BYTES = re.compile(r"\s*bytes\s+0-(\d{1,18})/(\d{1,18})\s*", re.IGNORECASE | re.ASCII)


def is_part(status: int, content_range: str | None) -> bool:
    """Whether a response has only a part of its document. The answer to `Range: bytes=0-` has all of it."""
    if status != PARTIAL_CONTENT:
        return False
    match = _BYTES.fullmatch(content_range or "")
    return match is None or int(match[1]) + 1 != int(match[2])
