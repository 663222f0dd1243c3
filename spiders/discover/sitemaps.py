"""Reads sitemaps: indexes, lists of pages, news sitemaps and plain lists of URLs. XML is read element by element."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice

from lxml import etree

from schemas.page import Hints

MAX_ENTRIES = 50_000  # of one file, by the protocol (sitemaps.org)
MAX_ELEMENTS = 1_000_000  # 20 for each entry: bounds the time of a harmful file
MAX_CHILDREN = 1_000  # of one entry, of which a news sitemap has about ten
MAX_LINE_BYTES = 8_192  # URLs end at 2,000 characters
MAX_TITLE_CHARACTERS = 500
HEAD_BYTES = 2_048
W3C_DATE = re.compile(r"(\d{4})(-\d\d)?(-\d\d)?(T.*)?\Z")


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """A URL as written. `is_sitemap`: it is an entry of an index. `modified_at` is the date in `lastmod`."""

    url: str
    is_sitemap: bool
    modified_at: datetime | None
    hints: Hints


def sitemap_entries(body: bytes) -> Iterator[SitemapEntry]:
    """The first entries of a sitemap. Broken XML is read as far as possible.

    Elements are removed once they are read, so that memory stays constant.
    """
    if not body[:HEAD_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        yield from _text_entries(body)
        return
    count = 0
    try:
        for element in islice(_elements(body), MAX_ELEMENTS):
            name = _local_name(element.tag)
            if name in {"url", "sitemap"}:
                entry = _entry(element, name == "sitemap")
                count += 1
                if entry is not None:
                    yield entry
                _discard(element)
            elif (parent := element.getparent()) is not None and parent.getparent() is None:
                _discard(element)
            if count >= MAX_ENTRIES:
                return
    except etree.XMLSyntaxError:
        return


def _elements(body: bytes) -> Iterator[etree._Element]:
    events = etree.iterparse(
        io.BytesIO(body), events=("end",), recover=True, huge_tree=False, resolve_entities=False, no_network=True, load_dtd=False
    )
    return (element for _, element in events)


def _discard(element: etree._Element) -> None:
    """Empty an element and remove its earlier siblings. The element itself must stay in the tree until the parser has left it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _text_entries(body: bytes) -> Iterator[SitemapEntry]:
    lines = io.BytesIO(body if b"\n" in body else body.replace(b"\r", b"\n"))
    for raw_line in islice(lines, MAX_ENTRIES):
        line = raw_line[:MAX_LINE_BYTES].decode("utf-8", "replace").strip().lstrip("\ufeff")
        if line.startswith(("http://", "https://")):
            yield SitemapEntry(line, False, None, Hints(source="sitemap"))


def _entry(element: etree._Element, is_sitemap: bool) -> SitemapEntry | None:
    found: dict[str, str] = {}
    for child in islice(element.iter(), MAX_CHILDREN):
        if child.text and child.text.strip():
            found.setdefault(_local_name(child.tag), child.text.strip())
    if "loc" not in found:
        return None
    title = found.get("title", "")[:MAX_TITLE_CHARACTERS] or None
    hints = Hints(title, w3c_date(found.get("publication_date")), "news sitemap" if "publication_date" in found else "sitemap")
    return SitemapEntry(found["loc"], is_sitemap, w3c_date(found.get("lastmod")), hints)


def _local_name(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def w3c_date(text: str | None) -> datetime | None:
    """A W3C date of any precision, with a time zone (UTC where none is written). None for other texts."""
    match = W3C_DATE.match(text.strip()) if text else None
    if match is None or text is None:
        return None
    full = text.strip() if match[3] else f"{match[1]}{match[2] or '-01'}-01"
    try:
        moment = datetime.fromisoformat(full)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
