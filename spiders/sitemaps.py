"""Sitemaps: indexes, lists of pages, news sitemaps and plain lists of URLs, read element by element."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from lxml import etree

from schemas.page import Hints

MAX_ENTRIES = 50_000
MAX_TITLE_CHARACTERS = 500
W3C_DATE = re.compile(r"(\d{4})(-\d\d)?(-\d\d)?(T.*)?\Z")


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """A URL as written; `is_sitemap` in an index; `modified_at` is what `lastmod` claims."""

    url: str
    is_sitemap: bool
    modified_at: datetime | None
    hints: Hints


def sitemap_entries(body: bytes) -> Iterator[SitemapEntry]:
    """The entries of a sitemap, broken XML read as far as it goes."""
    if not body.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        yield from _plain_entries(body)
        return
    events = etree.iterparse(
        io.BytesIO(body), events=("end",), recover=True, huge_tree=False, resolve_entities=False, no_network=True, load_dtd=False
    )
    count = 0
    try:
        for _, element in events:
            name = _local(element.tag)
            if name in {"url", "sitemap"}:
                entry = _entry(element, name == "sitemap")
                element.clear()
                if entry is not None:
                    yield entry
                    count += 1
            if count >= MAX_ENTRIES:
                return
    except etree.XMLSyntaxError:
        return


def _plain_entries(body: bytes) -> Iterator[SitemapEntry]:
    for line in body.decode("utf-8", "replace").splitlines()[:MAX_ENTRIES]:
        if line.strip().startswith(("http://", "https://")):
            yield SitemapEntry(line.strip(), False, None, Hints(source="sitemap"))


def _entry(element: etree._Element, is_sitemap: bool) -> SitemapEntry | None:
    found: dict[str, str] = {}
    for child in element.iter():
        if child.text and child.text.strip():
            found.setdefault(_local(child.tag), child.text.strip())
    if "loc" not in found:
        return None
    title = found.get("title", "")[:MAX_TITLE_CHARACTERS] or None
    hints = Hints(title, w3c_date(found.get("publication_date")), "news sitemap" if "publication_date" in found else "sitemap")
    return SitemapEntry(found["loc"], is_sitemap, w3c_date(found.get("lastmod")), hints)


def _local(tag: object) -> str:
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def w3c_date(text: str | None) -> datetime | None:
    """A W3C date in any of its lengths, aware; a missing zone is read as UTC. None for anything else."""
    match = W3C_DATE.match(text.strip()) if text else None
    if match is None or text is None:
        return None
    full = text.strip() if match[3] else f"{match[1]}{match[2] or '-01'}-01"
    try:
        moment = datetime.fromisoformat(full)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
