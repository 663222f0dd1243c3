"""Extract: read a WARC segment and stage one row per response or revisit record: an article, or the reason why it is none.

Before: `storage.frontier.registration` has registered the segment, and `processing.stages.plan` has put its crawl run into a process run.
The pages are read in worker processes with limits (`processing.workers`); bytes become text in `decode`, text an article in
`processing.article`. After: `processing.resolve.resolution` reads the staged rows of all segments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from typing import Protocol

import pyarrow as pa

from processing.article.markdown.align import markup_of
from processing.article.site_rules import rules_for
from processing.article.structure.walk import read_structure
from processing.article.tree.parse import parse
from processing.clean.identity import bucket_of
from processing.datasets.page_rows import PageRows, read_rows
from processing.datasets.page_view import PageView
from processing.extract.decode import decode
from processing.extract.documents import read_document
from processing.extract.page_tasks import (
    ARTICLES_ALONE,
    NOTHING_AGAIN,
    Again,
    Containers,
    Making,
    PageTask,
    Wanted,
    product_token,
    segment_tasks,
    single_tasks,
)
from processing.extract.rejections import body_rejection, reason_detail, reason_of, rejected, rejection_reason, type_of
from processing.extract.robots_meta import forbids_indexing
from processing.staging.bucket_spill import BucketSpill
from processing.staging.staging import EXTRACTED, METADATA_COLUMNS, Row, bounded, in_chunks, staged_writer, stored_blocks, stored_markup
from processing.workers.pool import Exceeded, run_limited
from runtime.scratch import scratch_folder
from schemas.article import Article, PageType
from schemas.capture import UrlKind
from schemas.config.crawl import Crawl, SiteRules
from schemas.datasets.dataset import Dataset
from schemas.manifest import Segment
from schemas.outcomes import Reason, Rejected
from schemas.page import Hints, Page, WarcPointer
from schemas.web.ai_preferences import AiPreferences, header_preferences
from storage.index.rows import CaptureRow
from storage.objects.store import ObjectStore
from storage.urls.host_key import host_key
from storage.warc.content_coding import CodingError, decode_content
from storage.warc.reader import Record

MAX_PAGE_BYTES = 32 * 1024 * 1024  # decompressed; bounds what a compression bomb costs
# Staged under the name that they have in the capture index, or in an `Article`.
_INDEX_COLUMNS = [field.name for field in fields(CaptureRow) if field.name in EXTRACTED.names]
_ARTICLE_COLUMNS = [field.name for field in fields(Article) if field.name in METADATA_COLUMNS]


@dataclass(frozen=True, slots=True)
class ReadPage:
    """An article with the charset that its page was read in."""

    article: Article
    charset: str
    charset_source: str


@dataclass(frozen=True, slots=True)
class PageResult:
    """What was made of a page: its article or why there is none (neither where no article was asked for), and the rows of datasets."""

    article: ReadPage | None = None
    rejected: Rejected | None = None
    rows: list[PageRows] = field(default_factory=list)

    @property
    def outcome(self) -> ReadPage | Rejected | None:
        """The article, or why there is none."""
        return self.article or self.rejected


READ_TASK = "processing.extract.extraction.read_task"


class RowSink(Protocol):
    """Takes the rows of datasets from the pages of a segment. `again` are the revisits that are read again."""

    wanted: Wanted
    again: Again

    def take(self, row: CaptureRow, result: PageResult) -> None:
        """Take what was made of one record."""

    def finish(self) -> None:
        """Store the rows: all records have been taken."""


def extract_segment(
    store: ObjectStore,
    segment: Segment,
    crawl: Crawl,
    key: str,
    containers: Containers | None = None,
    sink: RowSink | None = None,
    again: Again = NOTHING_AGAIN,
    offsets: Collection[int] | None = None,
) -> int:
    """Stage a segment's rows under `key`, by host bucket, then in the order of the segment; the number of rows.

    Every row of the segment's capture index becomes one row, even where the WARC is damaged. `containers` are the elements in which hosts
    have their articles. `sink` takes the rows of datasets; it has finished before the rows are under `key`. Without a sink, `again` are
    the revisits that are read again. `offsets` are those of the records that are read; None means all. Raises StorageError.
    """
    with scratch_folder() as folder, BucketSpill(folder, EXTRACTED) as spill:
        for chunk in in_chunks(_rows(store, segment, crawl, containers or {}, sink, again, offsets)):
            spill.add(pa.Table.from_pylist(chunk, schema=EXTRACTED))
        spill.finish()
        if sink is not None:
            sink.finish()
        with staged_writer(store, key, EXTRACTED) as writer:
            for bucket in spill.buckets:
                for table in bounded(spill.read(bucket)):  # no row group has rows of two buckets: resolve reads one bucket at a time
                    writer.write(table)
            return writer.rows


def read_task(task: PageTask) -> PageResult:
    """What one record becomes; nothing for a revisit that is not read again. Runs inside a page worker."""
    if task.row.is_erased:
        return PageResult(rejected=Rejected("", task.row.warc_filename, task.row.warc_record_offset, "record", Reason.ERASED))
    if task.damage is not None:
        pointer = task.row.pointer
        damaged = Rejected(task.row.url, pointer.warc_filename, pointer.warc_record_offset, "record", Reason.DAMAGED_RECORD, task.damage)
        return PageResult(rejected=damaged)
    forbidding = task.preferences().forbidden(task.uses) if task.uses else None
    if task.record is None:
        lost = [] if task.lost is None else [_failed_rows(one, task.lost) for one in task.wanted.definitions + task.wanted.functions]
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
        rows_of_document = read_document(record, product_token, wanted.definitions) if page.reason is Reason.NOT_HTML else []
        return PageResult(rejected=rows_of_document) if isinstance(rows_of_document, Rejected) else PageResult(None, page, rows_of_document)
    tree = parse(page.html)
    if product_token and forbids_indexing(record.capture, tree, product_token):
        return PageResult(rejected=rejected(record, "page_type", Reason.NOINDEX, "the page asks not to be indexed"))
    # before the article: site rules cut elements out of the tree
    definitions = wanted.definitions + wanted.functions
    view = PageView(page, tree, rules, containers, preferences)
    rows = read_rows(view, definitions, wanted.folders) if definitions else []
    if not wanted.articles:
        return PageResult(rows=rows)
    article = view.article
    if isinstance(article, Rejected):
        return PageResult(rejected=article, rows=rows)
    if article.page_type is not PageType.ARTICLE:
        return PageResult(rejected=rejected(record, "page_type", reason_of(article.page_type)), rows=rows)
    if wanted.markup:
        article = replace(article, markup=markup_of(article.blocks, read_structure(tree, page.url)))
    return PageResult(ReadPage(article, page.charset, page.charset_source), rows=rows)


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
    )


def _rows(
    store: ObjectStore,
    segment: Segment,
    crawl: Crawl,
    containers: Containers,
    sink: RowSink | None,
    again: Again,
    offsets: Collection[int] | None,
) -> Iterator[Row]:
    wanted, again = (ARTICLES_ALONE, again) if sink is None else (sink.wanted, sink.again)
    for row, result in read_segment(store, segment, crawl, containers, wanted, again, offsets):
        if sink is not None:
            sink.take(row, result)
        yield staged_row(row, result.outcome)


def read_segment(
    store: ObjectStore,
    segment: Segment,
    crawl: Crawl,
    containers: Containers,
    wanted: Wanted,
    again: Again = NOTHING_AGAIN,
    offsets: Collection[int] | None = None,
) -> Iterator[tuple[CaptureRow, PageResult]]:
    """Each row of a segment's capture index with what its record becomes, in order; of some records, those at `offsets`.

    `again` are the revisits that are read again. Raises StorageError.
    """
    making = Making(store, segment, crawl, containers, wanted, again)
    if offsets is not None:
        yield from _results(single_tasks(making, offsets))
        return
    with store.open(segment.warc_key) as stream:
        yield from _results(segment_tasks(stream, making))


def _results(tasks: Iterable[PageTask]) -> Iterator[tuple[CaptureRow, PageResult]]:
    for task, result in run_limited(tasks, READ_TASK, results=(PageResult,)):
        if not isinstance(result, Exceeded):
            yield task.row, result
        elif task.wanted.functions:
            yield task.row, _read_apart(task, result)
        else:
            yield task.row, PageResult(rejected=result.rejected(task.row.pointer, task.row.url))


def _read_apart(task: PageTask, exceeded: Exceeded) -> PageResult:
    """Read a page once more, without the user's functions and then by each of them alone: one that never ends costs no article."""
    alone = replace(task, wanted=replace(task.wanted, functions=()))
    ((_, found),) = run_limited([alone], READ_TASK, 1, results=(PageResult,))
    if isinstance(found, Exceeded):
        return PageResult(rejected=found.rejected(task.row.pointer, task.row.url))
    rows = list(found.rows)
    for definition in task.wanted.functions:
        one = replace(task, wanted=Wanted(articles=False, folders=task.wanted.folders, functions=(definition,)))
        if len(task.wanted.functions) > 1:  # else it is this one
            ((_, result),) = run_limited([one], READ_TASK, 1, results=(PageResult,))
        else:
            result = exceeded
        if isinstance(result, Exceeded):
            rows.append(_failed_rows(definition, f"{result.reason}: {result.detail}"))
        else:
            rows += result.rows
    whole: PageResult = found
    return replace(whole, rows=rows)


def _failed_rows(definition: str, error: str) -> PageRows:
    return PageRows(Dataset.model_validate_json(definition).name, error=error)


def staged_row(index: CaptureRow, result: ReadPage | Rejected | None) -> Row:
    """The staged row of a record."""
    host = host_key(index.url)
    row: Row = {"bucket": bucket_of(host), "host": host, "fetched_at": index.fetch_time}
    row |= {name: getattr(index, name) for name in _INDEX_COLUMNS}
    if isinstance(result, Rejected):
        row |= {"reason": str(result.reason), "detail": result.detail or None, "page_type": type_of(result.reason)}
    elif result is not None:
        row |= article_columns(result)
    return row


def article_columns(result: ReadPage) -> Row:
    """An article as columns of a staged row."""
    article = result.article
    return {name: getattr(article, name) for name in _ARTICLE_COLUMNS} | {
        "page_type": str(article.page_type),
        "authors": list(article.authors),
        "tags": list(article.tags),
        "blocks": stored_blocks(article.blocks),
        "markup": stored_markup(article.markup),
        "container": article.container,
        "charset": result.charset,
        "charset_source": result.charset_source,
    }
