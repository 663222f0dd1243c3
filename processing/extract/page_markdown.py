"""Write the main text of one stored page or PDF document as Markdown, for `crawlhouse show`. Runs inside a page worker."""

from __future__ import annotations

from processing.article.article import read_article
from processing.article.markdown.document import write_document
from processing.article.page_body.content import read_content
from processing.article.tree.parse import parse
from processing.extract.limited_pages import ShownPage
from processing.extract.reading import MAX_PAGE_BYTES, page_of
from processing.pdf.document import UnreadablePdfError, is_pdf, read_pdf
from schemas.article import BlockKind
from schemas.outcomes import Rejected
from storage.warc.content_coding import CodingError, decode_content
from storage.warc.reader import Record


def page_markdown(page: ShownPage) -> dict[str, str]:
    """The Markdown under `markdown`, or `problem`. Of an article's blocks, those are written that the row's text has."""
    found = page_of(page.record, "page", page.hints)
    if isinstance(found, Rejected):
        return _document_markdown(page.record)
    tree = parse(found.html, found.utf8)
    content = read_content(found, tree, page.rules, read_article(found, page.rules, (), tree))
    lines = set(str(page.row["text"]).split("\n")) if page.row and page.row.get("text") else None
    pairs = zip(content.blocks, content.markup(), strict=True)
    written = write_document(
        one for block, one in pairs if lines is None or block.kind is BlockKind.CAPTION or lines.issuperset(block.text.split("\n"))
    )
    return {"markdown": written} if written else {"problem": "it has no text of its own"}


def _document_markdown(record: Record) -> dict[str, str]:
    try:
        body = decode_content(record.capture.body, record.capture.joined_header("content-encoding"), MAX_PAGE_BYTES)
        if not is_pdf(body):
            return {"problem": "it is neither an HTML page nor a PDF document"}
        return {"markdown": write_document(read_pdf(body).markup())}
    except (CodingError, UnreadablePdfError) as error:
        return {"problem": str(error)}
