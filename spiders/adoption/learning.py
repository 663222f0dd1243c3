"""What the frontier learns from adopted captures: that a URL was fetched then, and when it is due again, as if a worker had fetched it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from schemas.capture import UrlKind
from schemas.config.crawl import Crawl
from schemas.outcomes import FetchOutcome, Reason
from schemas.web.media_type import read_media_type
from spiders.schedule.next_visit import NextVisit, after_failure, after_response, hours_between_runs
from spiders.session.url_results import GONE, MISSING, TEMPORARY
from spiders.urls.canonical import canonicalize
from spiders.urls.scope import CrawlScope
from storage.frontier.adoption import AdoptedUrl, Learn
from storage.frontier.records import DueUrl, EarlierCapture, FetchResult
from storage.index.rows import CaptureRow

OF_BROKEN = {"time": Reason.TIMEOUT, "disconnect": Reason.MALFORMED_RESPONSE}  # by the reason why a body was truncated
UNKNOWN_DEPTH = 1  # of a page whose file does not say how it was found: no seed


def adopted_urls(rows: Iterable[CaptureRow], crawl: Crawl) -> Iterator[AdoptedUrl]:
    """What each capture says of its URL. Left out are robots.txt, a browser's documents, responses to POST, and what is no URL to fetch."""
    seeds = {canonicalize(seed.url) for seed in crawl.seeds}
    for row in rows:
        url = canonicalize(row.url)
        if url is None or row.record_type == "conversion" or row.kind == UrlKind.ROBOTS or row.request_method is not None:
            continue
        outcome, reason = _outcome(row)
        has_content = row.record_type == "response" and not row.content_truncated and row.fetch_status == 200
        at = row.fetch_time.timestamp()
        capture = EarlierCapture(row.warc_filename, row.warc_record_offset, row.content_digest, at) if has_content else None
        depth = 0 if url in seeds else max(row.depth or 0, UNKNOWN_DEPTH)
        kind = UrlKind(row.kind) if row.kind in {UrlKind.FEED, UrlKind.SITEMAP} else UrlKind.PAGE
        is_page = kind is not UrlKind.PAGE or _may_be_page(row)
        yield AdoptedUrl(url, kind, is_page, row.via, depth, row.fetch_status, at, outcome, reason, capture)


def learning(crawl: Crawl) -> Learn:
    """The function that makes the result of a URL of this crawl."""
    return partial(_learn, crawl, CrawlScope(crawl))


def _outcome(row: CaptureRow) -> tuple[FetchOutcome, Reason | None]:
    if row.fetch_status in TEMPORARY:
        return FetchOutcome.FAILED, Reason.HTTP_ERROR
    if row.content_truncated in OF_BROKEN:
        return FetchOutcome.FAILED, OF_BROKEN[row.content_truncated]
    return FetchOutcome.FETCHED, Reason.TRUNCATED if row.content_truncated else None


def _may_be_page(row: CaptureRow) -> bool:
    return row.fetch_status != 200 or read_media_type(row.content_mime_detected or row.content_mime_type).may_be_html


def _learn(crawl: Crawl, scope: CrawlScope, due: DueUrl, found: AdoptedUrl) -> FetchResult:
    visit = _next_visit(crawl, scope, due, found)
    is_missing = found.status in MISSING or found.outcome is FetchOutcome.FAILED
    return FetchResult(
        url_id=due.url_id,
        host_id=due.host_id,
        outcome=found.outcome,
        reason=found.reason,
        status=found.status,
        fetched_at=found.fetched_at,
        kind=found.kind if found.status == 200 else due.kind,
        due_at=visit.due_at,
        revisit=visit.revisit,
        fails=due.fails + 1 if is_missing else 0,
        earlier=found.capture or due.earlier,
        is_primary_source=visit.is_primary_source,
    )


def _next_visit(crawl: Crawl, scope: CrawlScope, due: DueUrl, found: AdoptedUrl) -> NextVisit:
    """Pages that the crawl would not fetch, and what is no page, are never due."""
    if not found.is_page or not scope.covers(found.url, found.kind, found.depth):
        return NextVisit(None, due.revisit)
    if found.status == GONE:
        return after_failure(crawl.revisit, due, found.fetched_at, gone=True)
    if found.outcome is not FetchOutcome.FETCHED or found.status in MISSING:
        return after_failure(crawl.revisit, due, found.fetched_at)
    between_runs = hours_between_runs(crawl.schedule)
    return after_response(crawl.revisit, due, found.kind, found.fetched_at, changed=True, new_items=0, items=[], between_runs=between_runs)
