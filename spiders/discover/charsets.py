"""Charsets of pages: their text in UTF-8, and their links as browsers send them."""

from __future__ import annotations

import codecs
import re
from urllib.parse import quote

from spiders.download.text_charset import is_nearly_utf8
from storage.warc.charsets import charset_of, codec_of

META_BYTES = 4_096  # the HTML Standard reads 1,024; real pages name their charset later
META = re.compile(
    rb"<meta\b[^>]{0,500}?\bcharset\s{0,20}=\s{0,20}[\"']?\s{0,20}([\w.:+-]{1,60})|<\?xml\b[^>]{0,200}?\bencoding\s{0,20}=\s{0,20}[\"']([\w.:-]{1,60})",
    re.I,
)
MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
UTF8, DEFAULT = "utf-8", "cp1252"  # the default is that of browsers
SAFE_IN_QUERY = "%/?#[]@!$&'()*+,;=:-._~"


def page_in_utf8(html: bytes, declared: str | None) -> tuple[bytes, str]:
    """A page in UTF-8, which the parser reads, and the codec that it was in. `declared` is the charset that its header names.

    The order is that of the HTML Standard: byte order mark, header, `meta`; but bytes that are valid UTF-8 are UTF-8.
    """
    codec = _codec(html, declared)
    return (html, UTF8) if codec == UTF8 else (html.decode(codec, "replace").encode("utf-8", "replace"), codec)


def in_charset(reference: str, codec: str) -> str:
    """A reference with the characters of its query in a page's charset, as browsers send them."""
    path, mark, query = reference.partition("?")
    if not mark or query.isascii() or codec.startswith("utf"):
        return reference
    return f"{path}?{quote(query.encode(codec, 'xmlcharrefreplace'), safe=SAFE_IN_QUERY)}"


def _codec(html: bytes, declared: str | None) -> str:
    for mark, codec in MARKS:
        if html.startswith(mark):
            return codec
    named = charset_of(declared) or _named_in(html[:META_BYTES])
    if named is not None and named.startswith("utf-16"):
        return codec_of(named)
    if html.isascii() and named != "iso-2022-jp":
        return UTF8
    try:
        html.decode()
    except UnicodeDecodeError:
        if named is None and is_nearly_utf8(html):
            return UTF8
        return DEFAULT if named is None else codec_of(named)
    return codec_of(named) if named == "iso-2022-jp" else UTF8


def _named_in(head: bytes) -> str | None:
    """The charset that a page names. It was found by reading ASCII, so it is not UTF-16."""
    found = META.search(head)
    charset = charset_of((found[1] or found[2]).decode("ascii", "replace")) if found else None
    return UTF8 if charset is not None and charset.startswith("utf-16") else charset
