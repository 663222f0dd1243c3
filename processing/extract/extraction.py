"""Extract: a WARC segment to staged rows, one per response or revisit record, each an article or rejected with its reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import pyarrow as pa

from processing.article import read_article
from processing.article.site_rules import rules_for
from processing.clean.identity import bucket_of
from processing.extract.decode import decode
from processing.extract.robots_meta import forbids_indexing
from processing.staging.bucket_spill import BucketSpill
from processing.staging.staging import EXTRACTED, Row, bounded, in_chunks, staged_writer, stored_blocks
from processing.workers.pool import Exceeded, run_limited
from runtime.scratch import scratch_folder
from schemas.article import Article, PageType
from schemas.config.crawl import Crawl, SiteRules
from schemas.errors import StorageError
from schemas.manifest import Segment
from schemas.numbers import read_number
from schemas.outcomes import Reason, Rejected
from schemas.page import Hints, Page, WarcPointer
from storage.index.rows import CaptureRow, read_index
from storage.objects.store import ObjectStore
from storage.urls.host_key import host_key
from storage.warc.content_coding import CodingError, decode_content
from storage.warc.reader import Record, read_records

MAX_PAGE_BYTES = 32 * 1024 * 1024
_KINDS = {"robots": Reason.ROBOTS_FILE, "feed": Reason.FEED, "sitemap": Reason.SITEMAP, "shell": Reason.RENDERED}
PARTIAL_CONTENT, NOT_MODIFIED = 206, 304
_HTML = ("text/html", "application/xhtml+xml")


Containers = Mapping[str, tuple[str, ...]]  # by host: the signatures of the elements that hold its articles


@dataclass(frozen=True, slots=True)
class ReadPage:
    """An article with the charset that its page was read in."""

    article: Article
    charset: str
    charset_source: str


def extract_segment(store: ObjectStore, segment: Segment, crawl: Crawl, key: str, containers: Containers | None = None) -> int:
    """Stage a segment's rows under `key`, by host bucket and then in the order of the segment; the number of rows.

    Every row of the segment's capture index becomes one row here, whatever the WARC's bytes hold. `containers` are where hosts have their
    articles. Raises StorageError.
    """
    with scratch_folder() as folder, BucketSpill(folder, EXTRACTED) as spill:
        for chunk in in_chunks(_rows(store, segment, crawl, containers or {})):
            spill.add(pa.Table.from_pylist(chunk, schema=EXTRACTED))
        spill.finish()
        with staged_writer(store, key, EXTRACTED) as writer:
            for bucket in spill.buckets:
                for table in bounded(spill.read(bucket)):  # no row group holds rows of two buckets: resolving reads one at a time
                    writer.write(table)
            return writer.rows


@dataclass(frozen=True, slots=True)
class PageWork:
    """What a page worker needs for one record: the record beside its row of the index, and what the crawl says of its pages.

    `record` is None for a revisit, which has no page, and where the segment has no such record; `damage` then says why.
    `agent` is the crawler's name whose opt-outs are obeyed, or None. `containers` are where the host has its articles.
    """

    record: Record | None
    row: CaptureRow
    agent: str | None = None
    rules: SiteRules | None = None
    damage: str | None = None
    containers: tuple[str, ...] = ()

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        return 0 if self.record is None else len(self.record.capture.body)


def read_work(work: PageWork) -> ReadPage | Rejected | None:
    """The article of one record, or why there is none; None for a revisit. Runs inside a page worker."""
    if work.damage is not None:
        return _rejection(work.row.pointer, work.row.url, "record", Reason.DAMAGED_RECORD, work.damage)
    if work.record is None:
        return None
    return _read(work.record, work.row.kind, _hints(work.row), work.agent, work.rules, work.containers)


def read_page(record: Record, crawl: Crawl, kind: str, hints: Hints, containers: tuple[str, ...] = ()) -> ReadPage | Rejected:
    """The article of one record, or why there is none, in this process; `containers` are where the host has its articles."""
    return _read(record, kind, hints, _agent(crawl), rules_for(host_key(record.capture.url), crawl.articles.rules), containers)


def _agent(crawl: Crawl) -> str | None:
    return crawl.politeness.product() if crawl.politeness.opt_outs == "obey" else None


def _read(
    record: Record, kind: str, hints: Hints, agent: str | None, rules: SiteRules | None, containers: tuple[str, ...]
) -> ReadPage | Rejected:
    """The one place where the bytes of a page are understood."""
    page = page_of(record, kind, hints)
    if isinstance(page, Rejected):
        return page
    if agent and forbids_indexing(record.capture, page.html, agent):
        return _rejected(record, "page_type", Reason.NOINDEX, "the page asks not to be indexed")
    article = read_article(page, rules, containers)
    if isinstance(article, Rejected):
        return article
    if article.page_type is not PageType.ARTICLE:
        return _rejected(record, "page_type", reason_of(article.page_type))
    return ReadPage(article, page.charset, page.charset_source)


def page_of(record: Record, kind: str, hints: Hints) -> Page | Rejected:
    """The record's body as text, or why it is no page that could be an article."""
    if reason := _no_page(record, kind):
        return _rejected(record, "record", reason, _why(record, reason))
    try:
        body = decode_content(record.capture.body, record.capture.header("content-encoding"), MAX_PAGE_BYTES)
    except CodingError as error:
        return _rejected(record, "decode", Reason.UNDECODABLE, str(error))
    decoded = decode(body, record.capture.header("content-type"))
    if isinstance(decoded, Reason):
        return _rejected(record, "decode", decoded)
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


def _rows(store: ObjectStore, segment: Segment, crawl: Crawl, containers: Containers) -> Iterator[Row]:
    index = _in_order(read_index(store.get_bytes(segment.index_key)), segment)
    with store.open(segment.warc_key) as stream:
        records = read_records(stream, segment.warc_key, crawl.budgets.max_body_bytes)
        works = _works(records, index, crawl, containers)
        for work, found in run_limited(works, "processing.extract.extraction.read_work", results=(ReadPage, Rejected)):
            if isinstance(found, Exceeded):
                yield _row(work.row, _rejection(work.row.pointer, work.row.url, "extract", found.reason, found.detail))
            else:
                yield _row(work.row, found)


def _in_order(index: Iterable[CaptureRow], segment: Segment) -> Iterator[CaptureRow]:
    """The rows, seen to be in the order of their records, so that both are read side by side."""
    last = -1
    for row in index:
        if row.warc_record_offset <= last:
            raise StorageError(f"{segment.index_key} is not in the order of its segment: it was replaced. Restore it from a copy.")
        last = row.warc_record_offset
        yield row


def _works(records: Iterable[Record | Rejected], index: Iterator[CaptureRow], crawl: Crawl, containers: Containers) -> Iterator[PageWork]:
    """One for each row of the index, with its record if the segment has it whole. Records that the index does not know are left out."""
    agent = _agent(crawl)
    damage: dict[int, str] = {}  # since the last whole record, by offset
    row = next(index, None)
    for record in records:
        if isinstance(record, Rejected):
            damage[record.warc_record_offset] = record.detail
            continue
        while row is not None and row.warc_record_offset < record.pointer.warc_record_offset:
            yield _lost(row, damage)
            row = next(index, None)
        damage.clear()
        if row is not None and row.warc_record_offset == record.pointer.warc_record_offset:
            # the index has the length of the member and the digest
            whole = None if row.record_type == "revisit" else replace(record, pointer=row.pointer)
            host = host_key(row.url)
            yield PageWork(whole, row, agent, rules_for(host, crawl.articles.rules), containers=containers.get(host, ()))
            row = next(index, None)
    while row is not None:
        yield _lost(row, damage)
        row = next(index, None)


def _lost(row: CaptureRow, damage: dict[int, str]) -> PageWork:
    return PageWork(None, row, damage=damage.get(row.warc_record_offset, "the segment has no such record"))


def _row(index: CaptureRow, found: ReadPage | Rejected | None) -> Row:
    host = host_key(index.url)
    row: Row = {
        "bucket": bucket_of(host),
        "url": index.url,
        "host": host,
        "fetched_at": index.fetch_time,
        "fetch_status": index.fetch_status,
        "record_type": index.record_type,
        "kind": index.kind,
        "content_mime_type": index.content_mime_type,
        "content_charset": index.content_charset,
        "content_length": index.content_length,
        "latency_ms": index.latency_ms,
        "via": index.via,
        "depth": index.depth,
        "warc_filename": index.warc_filename,
        "warc_record_offset": index.warc_record_offset,
        "warc_record_length": index.warc_record_length,
        "content_digest": index.content_digest,
        "crawl_run": index.crawl_run,
        "refers_to_filename": index.refers_to_filename,
        "refers_to_offset": index.refers_to_offset,
        "request_method": index.request_method,
        "request_body": index.request_body,
    }
    if isinstance(found, Rejected):
        row |= {"reason": str(found.reason), "detail": found.detail or None, "page_type": type_of(found.reason)}
    elif found is not None:
        row |= article_columns(found)
    return row


def article_columns(found: ReadPage) -> Row:
    """What an article says, as columns."""
    article = found.article
    return {
        "page_type": str(article.page_type),
        "canonical_url": article.canonical_url,
        "site_name": article.site_name,
        "title": article.title,
        "description": article.description,
        "authors": list(article.authors),
        "published_at": article.published_at,
        "published_at_source": article.published_at_source,
        "published_zone": article.published_zone,
        "modified_at": article.modified_at,
        "modified_at_source": article.modified_at_source,
        "language_declared": article.language_declared,
        "section": article.section,
        "tags": list(article.tags),
        "lead_image": article.lead_image,
        "paywalled": article.paywalled,
        "form": article.form,
        "blocks": stored_blocks(article.blocks),
        "extraction_path": article.extraction_path,
        "confidence": article.confidence,
        "container": article.container,
        "charset": found.charset,
        "charset_source": found.charset_source,
    }


def _no_page(record: Record, kind: str) -> Reason | None:
    """Why a response is no page that could be an article, judged by everything but its text."""
    status = record.capture.status
    if status == NOT_MODIFIED:
        return Reason.EMPTY_BODY
    if 300 <= status < 400:
        return Reason.REDIRECT
    if not 200 <= status < 300:
        return Reason.HTTP_ERROR
    if kind in _KINDS:
        return _KINDS[kind]
    if record.capture.truncated or (status == PARTIAL_CONTENT and not _is_whole_range(record.capture.header("content-range"))):
        return Reason.TRUNCATED
    declared = (record.capture.header("content-type") or record.mime_detected or "text/html").partition(";")[0].strip().lower()
    return None if declared in _HTML else Reason.NOT_HTML


def _why(record: Record, reason: Reason) -> str:
    """What the reason alone does not say, in a line."""
    status, capture = record.capture.status, record.capture
    if reason is Reason.HTTP_ERROR:
        return f"HTTP status {status}"
    if reason is Reason.REDIRECT:
        return f"HTTP status {status}, to {capture.header('location') or 'nowhere'}"[:500]
    if reason is Reason.EMPTY_BODY:
        return "not modified: the body is in an earlier capture"
    if reason is Reason.TRUNCATED:
        return f"cut off by the crawler: {capture.truncated}" if capture.truncated else f"a part: {capture.header('content-range')}"
    if reason is Reason.NOT_HTML:
        return (capture.header("content-type") or record.mime_detected or "")[:200]
    return ""


def _is_whole_range(content_range: str | None) -> bool:
    """Whether a part of a body is all of it, as for a request of `bytes=0-`."""
    found = re.fullmatch(r"\s*bytes\s+0-(\d+)/(\d+)\s*", content_range or "")
    last, size = (read_number(found[1]), read_number(found[2])) if found else (None, None)
    return last is not None and last + 1 == size


def _rejected(record: Record, stage: str, reason: Reason, detail: str = "") -> Rejected:
    return _rejection(record.pointer, record.capture.url, stage, reason, detail)


def _rejection(pointer: WarcPointer, url: str, stage: str, reason: Reason, detail: str) -> Rejected:
    return Rejected(url, pointer.warc_filename, pointer.warc_record_offset, stage, reason, detail)


def reason_of(page_type: PageType) -> Reason:
    """Why a page of this type is rejected."""
    return Reason.OTHER_PAGE if page_type is PageType.OTHER else Reason(str(page_type))


def type_of(reason: Reason) -> str | None:
    """The page type behind a rejection, if that was the reason."""
    if reason is Reason.OTHER_PAGE:
        return str(PageType.OTHER)
    return str(reason) if str(reason) in set(PageType) else None


def _hints(row: CaptureRow) -> Hints:
    return Hints(row.hint_title, row.hint_published_at, row.hint_source)
