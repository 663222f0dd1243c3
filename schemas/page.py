"""A decoded page: the input of extraction. It is the same from a WARC, from a running crawl and in a test."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class WarcPointer:
    """Where a record's bytes are: object key, byte offset and length of its gzip member, and the payload's digest.

    `content_digest` is `sha1:` + base32 of the payload, as in `WARC-Payload-Digest`: transfer coding removed, content coding kept.
    """

    warc_filename: str = ""
    warc_record_offset: int = 0
    warc_record_length: int = 0
    content_digest: str = ""


@dataclass(frozen=True, slots=True)
class Hints:
    """What a feed or a sitemap said of a page before it was fetched (untrusted)."""

    title: str | None = None
    published_at: datetime | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """An HTML page as text.

    `charset_source` says where the charset came from: `bom`, `http`, `meta`, `utf-8` (the bytes are valid UTF-8) or `detector`.
    `fetched_at` is aware, UTC. `headers` are the HTTP response's, in order, as received. `utf8` is `html` in UTF-8 where the page came so.
    """

    url: str
    html: str
    charset: str = "utf-8"
    charset_source: str = "utf-8"
    fetched_at: datetime | None = None
    headers: tuple[tuple[str, str], ...] = ()
    pointer: WarcPointer = field(default_factory=WarcPointer)
    hints: Hints = field(default_factory=Hints)
    utf8: bytes | None = field(default=None, compare=False, repr=False)
