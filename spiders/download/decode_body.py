"""A body without its content coding. In a worker only for bodies that we wrote or that are small: anything else a reader decodes."""

from __future__ import annotations

from storage.warc.contentcoding import CodingError, decode_content


def decode_body(body: bytes, coding: str | None, limit: int) -> bytes:
    """A body without its content coding, at most `limit` bytes; empty where it cannot be decoded."""
    try:
        return decode_content(body, coding, limit)
    except CodingError:
        return b""
