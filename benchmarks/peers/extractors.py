"""The extractors that are compared, each a function from a page's URL and HTML to its text."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable
from datetime import UTC, datetime

from processing.article.article import read_article
from schemas.article import Article, plain_text
from schemas.page import Page

FETCHED_AT = datetime(2026, 6, 1, tzinfo=UTC)

Extractor = Callable[[str, str], str]


def crawlhouse(url: str, html: str) -> Article | None:
    """Our own reading, metadata and page type included."""
    outcome = read_article(Page(url, html, fetched_at=FETCHED_AT))
    return outcome if isinstance(outcome, Article) else None


def text_of(article: Article | None) -> str:
    """An article's text, empty if there is none."""
    return plain_text(article.blocks) if article else ""


def libraries() -> dict[str, Extractor]:
    """The peers by name, in the order of the table."""
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    return {
        "trafilatura": _trafilatura(),
        "trafilatura precision": _trafilatura(favor_precision=True),
        "trafilatura fast": _trafilatura(fast=True),
        "resiliparse": _resiliparse(),
        "readability-lxml": _readability(),
        "newspaper4k": _newspaper(),
    }


def trafilatura_metadata(url: str, html: str) -> dict[str, object]:
    """Title, authors and date as trafilatura finds them."""
    from trafilatura import extract_metadata

    found = extract_metadata(html, default_url=url)
    author = [name.strip() for name in (found.author or "").split(";") if name.strip()]
    return {"title": found.title, "author": author, "date": found.date}


def _trafilatura(*, favor_precision: bool = False, fast: bool = False) -> Extractor:
    from trafilatura import extract

    return lambda _, html: extract(html, include_comments=False, favor_precision=favor_precision, fast=fast) or ""


def _resiliparse() -> Extractor:
    from resiliparse.extract.html2text import extract_plain_text

    return lambda _, html: str(extract_plain_text(html, main_content=True, alt_texts=False, comments=False))


def _readability() -> Extractor:
    from lxml.html import document_fromstring
    from readability import Document

    def extract(_: str, html: str) -> str:
        try:
            root = document_fromstring(Document(html).summary())
        except Exception:
            return ""
        return "\n".join(
            " ".join(node.text_content().split()) for node in root.xpath("//p | //li | //h1 | //h2 | //h3 | //h4 | //pre | //td")
        )

    return extract


def _newspaper() -> Extractor:
    from newspaper import Article as NewspaperArticle

    def extract(url: str, html: str) -> str:
        article = NewspaperArticle(url, fetch_images=False)
        try:
            article.download(input_html=html)
            article.parse()
        except Exception:
            return ""
        return str(article.text)

    return extract
