"""The built-in source `pages`: one row for each page, with its type, main text, Markdown, signals and comments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from processing.article.markdown.chunks import split_chunks
from processing.article.markdown.document import write_document
from processing.article.page_body.comments import read_comments
from processing.article.page_body.content import read_content
from processing.clean.language import detect_language
from processing.clean.shingles import read_shingles
from processing.clean.signals import signals
from processing.clean.words import text_digest
from processing.datasets.page_view import PageView
from processing.pdf.document import PdfDocument
from schemas.article import Block, BlockMarkup, PageType
from schemas.datasets.page_options import PageOptions

RawRow = dict[str, Any]  # Any: a value of the field's type
DOCUMENT = "document"  # the type of a PDF
_METADATA = (
    "title", "description", "published_at", "modified_at", "site_name", "section", "canonical_url", "lead_image", "language_declared",
)  # fmt: skip


def page_content_rows(view: PageView, options: PageOptions) -> Iterator[RawRow]:
    """The row of a page. Everything else that reads the page must have read it before: site rules cut elements out of its tree."""
    content = read_content(view.page, view.tree, view.rules, view.article)
    markup = content.markup() if _wants_markup(options) else ()
    row = {name: getattr(content.metadata, name) for name in _METADATA} | {
        "page_type": str(content.page_type),
        "confidence": content.confidence,
        "authors": list(content.metadata.authors),
        "tags": list(content.metadata.tags),
        "media_type": "text/html",
        "charset": view.page.charset,
        "content_usage": view.preferences.usage,
        "content_signal": view.preferences.signal,
    }
    if options.comments:
        posts = content.page_type is PageType.FORUM
        row["comments"] = [asdict(comment) for comment in read_comments(view.tree, posts=posts)]
    yield row | text_columns(content.blocks, markup, content.metadata.language_declared, options)


def document_rows(document: PdfDocument, options: PageOptions) -> Iterator[RawRow]:
    """The row of a PDF document."""
    markup = document.markup() if _wants_markup(options) else []
    row = {"page_type": DOCUMENT, "title": document.title, "authors": list(document.authors), "media_type": "application/pdf"}
    yield row | text_columns(document.blocks, markup, document.language, options)


def text_columns(blocks: Sequence[Block], markup: Sequence[BlockMarkup], declared: str | None, options: PageOptions) -> RawRow:
    """Text, language and signals of the blocks, and Markdown and chunks as far as they are asked for."""
    text = "\n".join(block.text for block in blocks if block.text)
    shingles = read_shingles([text])
    found = signals(text, blocks, shingles)
    row: RawRow = {
        "text": text or None,
        "language": detect_language(text, declared),
        "text_length": len(text),
        "word_count": int(shingles.words[0]),
        "text_digest": text_digest(text),
        **{name: round(float(value), 6) for name, value in asdict(found).items()},
    }
    if options.markdown:
        row["markdown"] = write_document(markup) or None
    if options.chunks is not None:
        row["chunks"] = [asdict(chunk) | {"headings": list(chunk.headings)} for chunk in split_chunks(blocks, markup, options.chunks)]
    return row


def _wants_markup(options: PageOptions) -> bool:
    return options.markdown or options.chunks is not None
