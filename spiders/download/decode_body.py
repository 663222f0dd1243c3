"""Removes the content coding of a body. The worker itself decodes only small bodies and its own; a reader decodes all others."""

from __future__ import annotations

from storage.warc.content_coding import CodingError, decode_content


def decode_body(body: bytes, coding: str | None, limit: int) -> bytes:
    """The body without its content coding, at most `limit` bytes; empty if it cannot be decoded."""
    try:
        return decode_content(body, coding, limit)
    except CodingError:
        return b""
