"""Reads sitemaps: indexes, lists of pages, news sitemaps and plain lists of URLs. XML is read element by element."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, pairwise

from lxml import etree

from schemas.page import Hints
from schemas.web.list_dates import list_date
from spiders.discover.list_text import list_root, strict_xml
from spiders.discover.text_sitemaps import text_entries
from spiders.discover.titles import plain_title
from spiders.download.text_charset import file_text
from spiders.urls.listed_address import listed_address

MAX_ENTRIES = 50_000  # of one file, by the protocol (sitemaps.org)
MAX_ELEMENTS = 1_000_000  # 20 for each entry: bounds the time of a harmful file
MAX_DOCUMENTS = 1_000  # in one file
ROOT = re.compile(r"<(?:[\w.-]{1,50}:)?(?:urlset|sitemapindex)(?=[\s>])", re.IGNORECASE)
DOCUMENT_END = re.compile(r"</(?:[\w.-]{1,50}:)?(?:urlset|sitemapindex)\s{0,20}>", re.IGNORECASE)
IS_READ = "crawlhouse-is-read"  # the attribute of an entry that was read before its end
MAX_CHILDREN = 1_000  # of one entry, of which a news sitemap has about ten


@dataclass(frozen=True, slots=True)
class SitemapEntry:
    """A URL as written. `is_sitemap`: it is an entry of an index. `modified_at` is the date in `lastmod`."""

    url: str
    is_sitemap: bool
    modified_at: datetime | None
    hints: Hints


def sitemap_entries(body: bytes, url: str = "", charset: str | None = None) -> Iterator[SitemapEntry]:
    """The first entries of a sitemap with this URL. Broken XML is read as far as possible. `charset` is what its header names.

    Elements are removed once they are read, so that memory stays constant.
    """
    text = file_text(body, charset)
    root = list_root(text)
    if root is None:
        yield from (SitemapEntry(address, False, at, Hints(source="sitemap")) for address, at in text_entries(text, MAX_ENTRIES))
        return
    documents = _documents(_whole_addresses(text[root[1] :]))
    alternates: dict[str, None] = {}
    listed: set[str] = set()
    for entry in islice((entry for document in documents for entry in _xml_entries(document, url, alternates)), MAX_ENTRIES):
        listed.add(entry.url)
        yield entry
    yield from (SitemapEntry(address, False, None, Hints(source="sitemap")) for address in alternates if address not in listed)


def _documents(text: str) -> Iterator[str]:
    """The sitemaps in a file: some programs write several, one behind the other."""
    ends = [found.end() for found in islice(DOCUMENT_END.finditer(text), MAX_DOCUMENTS)]
    for start, end in pairwise([0, *ends[:-1], len(text)]):
        yield text[start:end]


def _xml_entries(text: str, url: str, alternates: dict[str, None]) -> Iterator[SitemapEntry]:
    """The entries of a document. The pages in other languages that they name are added to `alternates`."""
    count = 0
    begin = ROOT.search(text)
    try:
        for element in islice(_elements(strict_xml(text[begin.start() if begin else 0 :])), MAX_ELEMENTS):
            name = _name(element.tag)[1]
            if name in {"url", "sitemap"}:
                count += 1
                yield from (entry for one in (*_unended(element), element) if (entry := _entry(one, name == "sitemap", url)))
                if len(alternates) < MAX_ENTRIES:
                    alternates.update(dict.fromkeys(_alternates(element, url)))
                _discard(element)
            elif (parent := element.getparent()) is not None and parent.getparent() is None:
                _discard(element)
            if count >= MAX_ENTRIES:
                return
    except etree.XMLSyntaxError:
        return


def _unended(element: etree._Element) -> Iterator[etree._Element]:
    """The entry around an entry, once: its end tag is missing, and its address is about to be discarded."""
    around = element.getparent()
    if around is not None and _name(around.tag)[1] in {"url", "sitemap"} and around.get(IS_READ) is None:
        around.set(IS_READ, "")
        yield around


def _whole_addresses(text: str) -> str:
    """A sitemap without the address in whose middle it is cut off: the parser would close the element and invent a URL."""
    begin = text.rfind("loc>") + len("loc>")
    return text if "<" in text[begin:].lstrip().removeprefix("<![CDATA[") else text[:begin]


def _elements(text: str) -> Iterator[etree._Element]:
    events = etree.iterparse(
        io.BytesIO(text.encode("utf-8", "replace")),
        events=("end",),
        recover=True,
        huge_tree=False,
        resolve_entities=False,
        remove_comments=True,
        no_network=True,
        load_dtd=False,
        encoding="utf-8",
    )
    return (element for _, element in events)


def _discard(element: etree._Element) -> None:
    """Empty an element and remove its earlier siblings. The element itself must stay in the tree until the parser has left it."""
    element.clear()
    parent = element.getparent()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def _entry(element: etree._Element, is_sitemap: bool, url: str) -> SitemapEntry | None:
    """What an entry says of its page. Elements of extensions may stand between its own, and have names like theirs."""
    own, news = _texts(element), next((child for child in islice(element, MAX_CHILDREN) if _name(child.tag)[1] == "news"), None)
    address = listed_address(own.get("loc"), url)
    if not address:
        return None
    told = {} if news is None else _texts(news)
    published_at = list_date(told.get("publication_date"))
    hints = Hints(plain_title(told.get("title")), published_at, "sitemap" if news is None else "news sitemap")
    return SitemapEntry(address, is_sitemap, list_date(own.get("lastmod")), hints)


def _alternates(element: etree._Element, url: str) -> Iterator[str]:
    """The addresses of a page in other languages (`xhtml:link` with `hreflang`). One with `media` is the same page for another screen."""
    for child in islice(element, MAX_CHILDREN):
        if (
            _name(child.tag)[1] == "link"
            and child.get("hreflang")
            and not child.get("media")
            and (address := listed_address(child.get("href"), url))
        ):
            yield address


def _texts(element: etree._Element) -> dict[str, str]:
    """The texts of the children in the element's own namespace, by name."""
    namespace = _name(element.tag)[0]
    found: dict[str, str] = {}
    for child in islice(element, MAX_CHILDREN):
        prefix, name = _name(child.tag)
        if prefix in {"", namespace} and (text := "".join(islice(child.itertext(), MAX_CHILDREN)).strip()):
            found.setdefault(name, text)
    return found


def _name(tag: object) -> tuple[str, str]:
    """The namespace and the name of an element, in lower case. A prefix that nobody declared counts as a namespace."""
    if not isinstance(tag, str):  # a comment
        return "", ""
    namespace, _, name = tag.lower().rpartition("}" if "}" in tag else ":")
    return namespace.removeprefix("{"), name
