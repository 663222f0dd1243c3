"""Whether bytes are an HTML page, and whether a page is whole, for `spiders` and for `processing`."""

from __future__ import annotations

import re

from schemas.web.media_type import HTML_TYPES, XML_TYPES, MediaType

START_BYTES = 4_096
END_BYTES = 4_096  # behind `</html>` only blanks and comments of caches and counters come
_WIDE_BOMS = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_TAGS = re.compile(
    r"<(?:!doctype\s+html|html|head|body|script|title|meta|link|base|iframe|div|table|h[1-6]|p|br|a|b|style|main|article|section|header|nav"
    r"|ul|ol|font|center|frameset)(?=[\s>/])",
    re.IGNORECASE,
)
_XHTML = re.compile(
    r"\s{0,1000}(?:<\?xml[^>]{0,1000}>\s{0,1000})?(?:<!(?:--|doctype)[^>]{0,1000}>\s{0,1000}){0,5}<html[\s>]", re.IGNORECASE
)
_END = re.compile(
    rb"</html\s{0,100}>(?:\s|<!--(?:[^-]|-(?!->)){0,2000}-->|<script\b[^>]{0,500}>[^<]{0,2000}</script\s{0,10}>)*\Z", re.IGNORECASE
)


def is_html(declared: MediaType, body: bytes) -> bool:
    """Whether a decoded body is an HTML page: by its declared type, or by its first bytes where the type leaves that open."""
    if declared.name in HTML_TYPES:
        return True
    if not declared.may_be_html:
        return False
    start = _start(body)
    return bool(_XHTML.match(start)) if declared.name in XML_TYPES else _looks_like_html(start)


def ends_as_whole_page(body: bytes) -> bool:
    """Whether a decoded body ends with `</html>`: then nothing of the page is missing, although its transfer broke off."""
    return _END.search(body[-END_BYTES:]) is not None


def _looks_like_html(start: str) -> bool:
    if "\x00" in start or start.startswith(("%PDF", "{", "[")):
        return False
    return _TAGS.search(start) is not None


def _start(body: bytes) -> str:
    """The first characters, read as UTF-16 or as ASCII."""
    wide = _WIDE_BOMS.get(body[:2])
    return body[:START_BYTES].decode(wide or "latin-1", "replace").removeprefix("\ufeff").removeprefix("ï»¿").lstrip()
