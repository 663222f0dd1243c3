"""Reading one page: what its record becomes. Most of it runs inside page workers (`processing.workers`), which import nothing else.

Before: `processing.extract.page_tasks` says what is made of a record. Bytes become text in `decode`, text an article in
`processing.article`. After: `processing.extract.extraction` stages the rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from processing.article.tree.parse import Tree, parse
from processing.datasets.page_view import PageView
from processing.extract.decode import decode
from processing.extract.page_tasks import (
    ARTICLES_ALONE,
    PageResult,
    PageTask,
    ReadPage,
    Wanted,
    failed_rows,
    product_token,
    rules_for,
)
from processing.extract.rejections import body_rejection, reason_detail, reason_of, rejected, rejection_reason
from processing.extract.robots_meta import forbids_indexing
from schemas.article import Article, PageType
from schemas.capture import UrlKind
from schemas.datasets.page_rows import PageRows
from schemas.outcomes import Reason, Rejected
from schemas.page import Hints, Page, WarcPointer
from schemas.web.ai_preferences import AiPreferences, header_preferences
from storage.urls.host_key import host_key
from storage.warc.content_coding import CodingError, decode_content
from storage.warc.reader import Record

if TYPE_CHECKING:
    from schemas.config.crawl import Crawl, SiteRules

MAX_PAGE_BYTES = 32 * 1024 * 1024  # decompressed; bounds what a compression bomb costs


def read_task(task: PageTask) -> PageResult:
    """What one record becomes; nothing for a revisit that is not read again. Runs inside a page worker."""
    if task.row.is_erased:
        return PageResult(rejected=Rejected("", task.row.warc_filename, task.row.warc_record_offset, "record", Reason.ERASED))
    task = task.opened()
    if task.damage is not None:
        pointer = task.row.pointer
        damaged = Rejected(task.row.url, pointer.warc_filename, pointer.warc_record_offset, "record", Reason.DAMAGED_RECORD, task.damage)
        return PageResult(rejected=damaged)
    forbidding = task.preferences().forbidden(task.uses) if task.uses else None
    if task.record is None:
        lost = [] if task.lost is None else [failed_rows(one, task.lost) for one in task.wanted.definitions + task.wanted.functions]
        return PageResult(rejected=_forbidden(task.row.url, task.row.pointer, forbidding) if forbidding else None, rows=lost)
    if forbidding and task.row.kind == UrlKind.PAGE and 200 <= task.record.capture.status < 300:
        return PageResult(rejected=_forbidden(task.row.url, task.row.pointer, forbidding))
    preferences = task.preferences()
    return _read(task.record, task.row.kind, task.row.hints, task.product_token, task.rules, task.containers, task.wanted, preferences)


def _forbidden(url: str, pointer: WarcPointer, statement: str) -> Rejected:
    return Rejected(url, pointer.warc_filename, pointer.warc_record_offset, "record", Reason.AI_PREFERENCE, statement)


def read_page(record: Record, crawl: Crawl, kind: str, hints: Hints, containers: tuple[str, ...] = ()) -> ReadPage | Rejected:
    """The article of one record, or why there is none, read in this process. `containers` are the host's article elements."""
    stated = header_preferences(record.capture.response_headers).combined(record.capture.preferences)
    forbidding = stated.forbidden(crawl.politeness.forbidden_uses())
    if forbidding and kind == UrlKind.PAGE and 200 <= record.capture.status < 300:
        return _forbidden(record.capture.url, record.pointer, forbidding)
    rules = rules_for(host_key(record.capture.url), crawl.articles.rules)
    wanted = replace(ARTICLES_ALONE, markup=crawl.articles.wants_markup)
    outcome = _read(record, kind, hints, product_token(crawl), rules, containers, wanted, stated).outcome
    assert outcome is not None
    return outcome


def _read(
    record: Record,
    kind: str,
    hints: Hints,
    product_token: str | None,
    rules: SiteRules | None,
    containers: tuple[str, ...],
    wanted: Wanted,
    preferences: AiPreferences,
) -> PageResult:
    """Read a page. All pages that are extracted, checked or shown go through this function."""
    page = page_of(record, kind, hints)
    if isinstance(page, Rejected):
        rows_of_document = _document_rows(record, product_token, wanted) if page.reason is Reason.NOT_HTML else []
        return PageResult(rejected=rows_of_document) if isinstance(rows_of_document, Rejected) else PageResult(None, page, rows_of_document)
    tree = parse(page.html, page.utf8)
    if product_token and forbids_indexing(record.capture, tree, product_token):
        return PageResult(rejected=rejected(record, "page_type", Reason.NOINDEX, "the page asks not to be indexed"))
    # before the article: site rules cut elements out of the tree
    definitions = wanted.definitions + wanted.functions
    view = PageView(page, tree, rules, containers, preferences)
    rows = _dataset_rows(view, definitions, wanted.folders) if definitions else []
    if not wanted.articles:
        return PageResult(rows=rows)
    article = view.article
    if isinstance(article, Rejected):
        return PageResult(rejected=article, rows=rows)
    if article.page_type is not PageType.ARTICLE:
        return PageResult(rejected=rejected(record, "page_type", reason_of(article.page_type)), rows=rows)
    if wanted.markup:
        article = _with_markup(article, tree, page.url)
    return PageResult(ReadPage(article, page.charset, page.charset_source), rows=rows)


# What reads the rows of datasets is imported with the first page of a crawl that has any: it takes half as long as all else.
def _dataset_rows(view: PageView, definitions: tuple[str, ...], folders: tuple[str, ...]) -> list[PageRows]:
    from processing.datasets.page_rows import read_rows

    return read_rows(view, definitions, folders)


def _document_rows(record: Record, product_token: str | None, wanted: Wanted) -> list[PageRows] | Rejected:
    if not wanted.definitions:
        return []
    from processing.extract.documents import read_document

    return read_document(record, product_token, wanted.definitions)


def _with_markup(article: Article, tree: Tree, url: str) -> Article:
    from processing.article.markdown.align import markup_of
    from processing.article.structure.walk import read_structure

    return replace(article, markup=markup_of(article.blocks, read_structure(tree, url)))


def page_of(record: Record, kind: str, hints: Hints) -> Page | Rejected:
    """The record's body as text, or why it cannot be an article."""
    if reason := rejection_reason(record, kind):
        return rejected(record, "record", reason, reason_detail(record, reason))
    try:
        body = decode_content(record.capture.body, record.capture.joined_header("content-encoding"), MAX_PAGE_BYTES)
    except CodingError as error:
        return rejected(record, "decode", Reason.UNDECODABLE, str(error))
    if reason := body_rejection(record, body):
        return rejected(record, "record", reason, reason_detail(record, reason))
    decoded = decode(body, record.capture.joined_header("content-type"))
    if isinstance(decoded, Reason):
        return rejected(record, "decode", decoded)
    return Page(
        url=record.capture.url,
        html=decoded.html,
        charset=decoded.charset,
        charset_source=decoded.source,
        fetched_at=record.capture.fetched_at,
        headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in record.capture.response_headers),
        pointer=record.pointer,
        hints=hints,
        utf8=decoded.utf8,
    )
