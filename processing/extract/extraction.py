"""Extract: read a WARC segment and stage one row per response or revisit record: an article, or the reason why it is none.

Before: `storage.frontier.registration` has registered the segment, and `processing.stages.plan` has put its crawl run into a process run.
The pages are read in worker processes with limits (`processing.workers`); bytes become text in `decode`, text an article in
`processing.article`. After: `processing.resolve.resolution` reads the staged rows of all segments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
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
from schemas.errors import StorageError
from schemas.manifest import Segment
from schemas.outcomes import Reason, Rejected
from schemas.page import Hints, Page, WarcPointer
from schemas.web.ai_preferences import NO_PREFERENCES, AiPreferences, header_preferences
from storage.index.rows import CaptureRow, read_index
from storage.objects.store import ObjectStore
from storage.urls.host_key import host_key
from storage.warc.content_coding import CodingError, decode_content
from storage.warc.reader import Record, read_record_at, read_records

MAX_PAGE_BYTES = 32 * 1024 * 1024  # decompressed; bounds what a compression bomb costs
# Staged under the name that they have in the capture index, or in an `Article`.
_INDEX_COLUMNS = [field.name for field in fields(CaptureRow) if field.name in EXTRACTED.names]
_ARTICLE_COLUMNS = [field.name for field in fields(Article) if field.name in METADATA_COLUMNS]

Containers = Mapping[str, tuple[str, ...]]  # by host: the signatures of the elements that hold its articles


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is made of pages: articles or not, and the rows of datasets, whose definitions are JSON.

    `functions` are definitions too, of datasets whose rows a function of the user's makes; `folders` have the user's modules. `markup`:
    articles have each block as Markdown, too.
    """

    articles: bool = True
    definitions: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()
    markup: bool = False


ARTICLES_ALONE = Wanted()
READ_TASK = "processing.extract.extraction.read_task"


class RowSink(Protocol):
    """Takes the rows of datasets from the pages of a segment."""

    wanted: Wanted

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
    offsets: Collection[int] | None = None,
) -> int:
    """Stage a segment's rows under `key`, by host bucket, then in the order of the segment; the number of rows.

    Every row of the segment's capture index becomes one row, even where the WARC is damaged. `containers` are the elements in which hosts
    have their articles. `sink` takes the rows of datasets; it has finished before the rows are under `key`. `offsets` are those of the
    records that are read; None means all. Raises StorageError.
    """
    with scratch_folder() as folder, BucketSpill(folder, EXTRACTED) as spill:
        for chunk in in_chunks(_rows(store, segment, crawl, containers or {}, sink, offsets)):
            spill.add(pa.Table.from_pylist(chunk, schema=EXTRACTED))
        spill.finish()
        if sink is not None:
            sink.finish()
        with staged_writer(store, key, EXTRACTED) as writer:
            for bucket in spill.buckets:
                for table in bounded(spill.read(bucket)):  # no row group has rows of two buckets: resolve reads one bucket at a time
                    writer.write(table)
            return writer.rows


@dataclass(frozen=True, slots=True)
class PageTask:
    """What a page worker needs for one record: the record, its row of the index and the crawl's options for it.

    `record` is None for a revisit, which has no page. It is None too where the segment has no such record; `damage` then says why.
    `product_token` is the crawler's name in robots rules, or None where the page's opt-outs are not obeyed. `containers` are the elements
    in which the host has its articles. `wanted` is what is made of the page. `uses` are those for which its AI preferences are obeyed.
    """

    record: Record | None
    row: CaptureRow
    product_token: str | None = None
    rules: SiteRules | None = None
    damage: str | None = None
    containers: tuple[str, ...] = ()
    wanted: Wanted = ARTICLES_ALONE
    uses: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        """About how many bytes of memory the task takes."""
        return 0 if self.record is None else len(self.record.capture.body)

    def preferences(self) -> AiPreferences:
        """The AI preferences of the page. Capture indexes of earlier releases do not have them: then its headers say them."""
        of_headers = NO_PREFERENCES if self.record is None else header_preferences(self.record.capture.response_headers)
        return self.row.preferences.combined(of_headers)


def read_task(task: PageTask) -> PageResult:
    """What one record becomes; nothing for a revisit. Runs inside a page worker."""
    if task.damage is not None:
        pointer = task.row.pointer
        damaged = Rejected(task.row.url, pointer.warc_filename, pointer.warc_record_offset, "record", Reason.DAMAGED_RECORD, task.damage)
        return PageResult(rejected=damaged)
    forbidding = task.preferences().forbidden(task.uses) if task.uses else None
    if task.record is None:
        return PageResult(rejected=_forbidden(task.row.url, task.row.pointer, forbidding) if forbidding else None)
    if forbidding and task.row.kind == UrlKind.PAGE and 200 <= task.row.fetch_status < 300:
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
    wanted = Wanted(markup=crawl.articles.wants_markup)
    outcome = _read(record, kind, hints, _product_token(crawl), rules, containers, wanted, stated).outcome
    assert outcome is not None
    return outcome


def _product_token(crawl: Crawl) -> str | None:
    return crawl.politeness.product() if crawl.politeness.opt_outs == "obey" else None


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
    store: ObjectStore, segment: Segment, crawl: Crawl, containers: Containers, sink: RowSink | None, offsets: Collection[int] | None
) -> Iterator[Row]:
    for row, result in read_segment(store, segment, crawl, containers, ARTICLES_ALONE if sink is None else sink.wanted, offsets):
        if sink is not None:
            sink.take(row, result)
        yield staged_row(row, result.outcome)


def read_segment(
    store: ObjectStore,
    segment: Segment,
    crawl: Crawl,
    containers: Containers,
    wanted: Wanted,
    offsets: Collection[int] | None = None,
) -> Iterator[tuple[CaptureRow, PageResult]]:
    """Each row of a segment's capture index with what its record becomes, in order; of some records, those at `offsets`.

    Raises StorageError.
    """
    index = _in_order(read_index(store.get_bytes(segment.index_key)), segment)
    if offsets is not None:
        chosen = (row for row in index if row.warc_record_offset in offsets)
        yield from _results(_single_task(store, row, crawl, containers, wanted) for row in chosen)
        return
    with store.open(segment.warc_key) as stream:
        records = read_records(stream, segment.warc_key, crawl.budgets.max_body_bytes)
        yield from _results(_tasks(records, index, crawl, containers, wanted))


def _results(tasks: Iterable[PageTask]) -> Iterator[tuple[CaptureRow, PageResult]]:
    for task, result in run_limited(tasks, READ_TASK, results=(PageResult,)):
        if not isinstance(result, Exceeded):
            yield task.row, result
        elif task.wanted.functions:
            yield task.row, _read_apart(task, result)
        else:
            yield task.row, PageResult(rejected=result.rejected(task.row.pointer, task.row.url))


def _single_task(store: ObjectStore, row: CaptureRow, crawl: Crawl, containers: Containers, wanted: Wanted) -> PageTask:
    """The task of a record that is read alone."""
    if row.record_type == "revisit":
        return page_task(None, row, crawl, containers, wanted)
    try:
        record = replace(read_record_at(store, row.pointer, crawl.budgets.max_body_bytes), pointer=row.pointer)
    except StorageError as error:
        return PageTask(None, row, damage=str(error), wanted=wanted)
    return page_task(record, row, crawl, containers, wanted)


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
        rows += _failed_rows(definition, result) if isinstance(result, Exceeded) else result.rows
    whole: PageResult = found
    return replace(whole, rows=rows)


def _failed_rows(definition: str, exceeded: Exceeded) -> list[PageRows]:
    return [PageRows(Dataset.model_validate_json(definition).name, error=f"{exceeded.reason}: {exceeded.detail}")]


def _in_order(index: Iterable[CaptureRow], segment: Segment) -> Iterator[CaptureRow]:
    """Check that the rows are in the order of their records: both are read side by side."""
    last = -1
    for row in index:
        if row.warc_record_offset <= last:
            raise StorageError(f"{segment.index_key} is not in the order of its segment: it was replaced. Restore it from a copy.")
        last = row.warc_record_offset
        yield row


def _tasks(
    records: Iterable[Record | Rejected], index: Iterator[CaptureRow], crawl: Crawl, containers: Containers, wanted: Wanted
) -> Iterator[PageTask]:
    """A task for each row of the index, with its record where the segment has it whole. Records without a row in the index are left out."""
    damage: dict[int, str] = {}  # by offset, since the last whole record
    row = next(index, None)
    for record in records:
        if isinstance(record, Rejected):
            damage[record.warc_record_offset] = record.detail
            continue
        while row is not None and row.warc_record_offset < record.pointer.warc_record_offset:
            yield _damaged_task(row, damage)
            row = next(index, None)
        damage.clear()
        if row is not None and row.warc_record_offset == record.pointer.warc_record_offset:
            # only the index has the length of the gzip member and the digest
            whole = None if row.record_type == "revisit" else replace(record, pointer=row.pointer)
            yield page_task(whole, row, crawl, containers, wanted)
            row = next(index, None)
    while row is not None:
        yield _damaged_task(row, damage)
        row = next(index, None)


def page_task(record: Record | None, row: CaptureRow, crawl: Crawl, containers: Containers, wanted: Wanted) -> PageTask:
    """The task of reading one record as a crawl's options say."""
    host = host_key(row.url)
    rules = rules_for(host, crawl.articles.rules)
    wanted = replace(wanted, markup=wanted.articles and crawl.articles.wants_markup)
    uses = crawl.politeness.forbidden_uses()
    return PageTask(record, row, _product_token(crawl), rules, containers=containers.get(host, ()), wanted=wanted, uses=uses)


def _damaged_task(row: CaptureRow, damage: dict[int, str]) -> PageTask:
    return PageTask(None, row, damage=damage.get(row.warc_record_offset, "the segment has no such record"))


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
