"""The media type of a body by its first bytes, whatever its Content-Type says."""

from __future__ import annotations

import re

from storage.warc.content_coding import CodingError, decode_content

SNIFF_BYTES = 1024

_MAGIC = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|script|title|meta|link|div|table|h1|p|br|a|style|!--)[\s>!-]", re.IGNORECASE)
_XML_ROOTS = (
    (re.compile(rb"<(?:rss|rdf:RDF)[\s>]"), "application/rss+xml"),
    (re.compile(rb"<feed[\s>]"), "application/atom+xml"),
    (re.compile(rb"<html[\s>]", re.IGNORECASE), "application/xhtml+xml"),
)
_BOM = b"\xef\xbb\xbf"


def sniff(body: bytes, content_encoding: str | None, declared: str | None) -> str | None:
    """The media type of a body: `declared` (or None) if the first bytes do not show it, None for an empty body.

    The beginning of a body with a Content-Encoding is decoded; gzip without one is a file.
    """
    start = _decoded_start(body, content_encoding).removeprefix(_BOM).lstrip()
    if not start:
        return None
    for magic, kind in _MAGIC:
        if start.startswith(magic):
            return kind
    if start.startswith((b"<?xml", b"<rss", b"<feed", b"<urlset", b"<sitemapindex", b"<rdf:RDF")):
        return next((kind for root, kind in _XML_ROOTS if root.search(start)), "application/xml")
    if _HTML.match(start):
        return "text/html"
    return (declared or "").lower() or None


def _decoded_start(body: bytes, content_encoding: str | None) -> bytes:
    if not (content_encoding or "").strip():
        return body[:SNIFF_BYTES]
    try:
        return decode_content(body, content_encoding, SNIFF_BYTES)
    except CodingError:
        return body[:SNIFF_BYTES]
