"""The result of an exchange for its URL: outcome, reason, when it is due again, and whether its content is the same as before.

It is written when its segment is registered.
"""

from __future__ import annotations

import email.utils
from datetime import UTC, datetime

from schemas.capture import Capture
from schemas.config.crawl import Crawl, Revisit
from schemas.outcomes import FetchOutcome, Reason
from spiders.discover.response import ParsedResponse
from spiders.download.failure import FetchFailedError
from spiders.schedule.next_visit import ItemTimes, NextVisit, after_failure, after_response, hours_between_runs
from storage.frontier.records import Discovery, DueUrl, EarlierCapture, FetchResult
from storage.index.rows import CaptureRow
from storage.warc.records import sha1
from storage.warc.writer import RefersTo

BUSY = frozenset({429, 503})
# what may be gone soon: also unknown statuses of 600 and more, which count as 5xx (RFC 9110, 15)
TEMPORARY = frozenset({408, 425, 429, *range(500, 1000)}) - {501, 505, 510, 511}
GONE = 410
NOT_MODIFIED = 304
MISSING = frozenset({404, 410})
OWN_DECISIONS = frozenset({Reason.PAUSED, Reason.DROPPED, Reason.OUT_OF_SCOPE})
OUTCOME_OF_DEAD_END = {Reason.OUT_OF_SCOPE: FetchOutcome.FILTERED, Reason.TAKEDOWN: FetchOutcome.DENIED}
MAX_MISSES = 3  # visits in a row that find no page (404), after which the URL counts as gone. Chosen
MAX_WAIT_SECONDS = 60.0  # chosen: a retry that has to wait longer is left for another run
MAX_RETRY_AFTER_SECONDS = 24 * 3600.0  # chosen: no server may put off a URL for longer than a day


def retry_after(capture: Capture, now: float) -> float:
    """The seconds that Retry-After asks for, as a number or a date, at most a day. 0 without Retry-After."""
    text = (capture.header("retry-after") or "").strip()
    if text.isdecimal():
        return min(float(text), MAX_RETRY_AFTER_SECONDS)
    parsed = email.utils.parsedate_tz(text) if text else None
    if parsed is None:
        return 0.0
    try:
        return min(max(email.utils.mktime_tz(parsed) - now, 0.0), MAX_RETRY_AFTER_SECONDS)
    except (ValueError, OverflowError):  # a date that no calendar has
        return 0.0


def retry_wait_of(capture: Capture, tries: int, crawl: Crawl) -> float | None:
    """Seconds to wait before another request in this run, or None if the response is final."""
    broken = capture.truncated == "disconnect"
    if tries >= crawl.budgets.max_retries or not (broken or capture.status in TEMPORARY):
        return None
    wait = max(retry_after(capture, capture.fetched_at.timestamp()), 2.0**tries)
    return wait if wait <= MAX_WAIT_SECONDS else None


def revisit_target(capture: Capture, due: DueUrl) -> RefersTo | None:
    """The registered capture of the same URL with the same content, or None if the content is new.

    Responses to POST are kept whole: a revisit record names only a URL and a time, so replay would show it for a GET of the URL too.
    """
    earlier = due.earlier
    if earlier is None or capture.truncated or capture.method != "GET":
        return None
    same = capture.status == 304 or (capture.status == 200 and capture.body and sha1(capture.body) == earlier.content_digest)
    if not same:
        return None
    fetched_at = datetime.fromtimestamp(earlier.fetched_at, UTC)
    return RefersTo(due.url, fetched_at, earlier.warc_filename, earlier.offset, earlier.content_digest)


def response_result(
    due: DueUrl, capture: Capture, response: ParsedResponse, row: CaptureRow | None, crawl: Crawl, is_opted_out: bool
) -> FetchResult:
    """The result of a final response with the capture `row` (None: not archived). One that could not be read is fetched whole next time."""
    now = capture.fetched_at.timestamp()
    outcome, reason = _outcome_of(capture, response, is_opted_out, bool(due.earlier and (due.etag or due.last_modified)))
    changed = capture.status == 200 and (row is None or _is_new(row, due))
    visit = _visit(due, capture, response, outcome, changed, crawl, now)
    keeps = response.unread_reason is None and (capture.status == 304 or not changed)
    return FetchResult(
        url_id=due.url_id,
        host_id=due.host_id,
        outcome=outcome,
        reason=reason,
        status=capture.status,
        fetched_at=capture.fetched_at.timestamp(),
        kind=response.kind if capture.status == 200 else due.kind,
        due_at=visit.due_at,
        revisit=visit.revisit,
        fails=due.fails + 1 if capture.status in MISSING or outcome is FetchOutcome.FAILED else 0,
        etag=None if response.unread_reason else capture.header("etag") or (due.etag if keeps else None),
        last_modified=None if response.unread_reason else capture.header("last-modified") or (due.last_modified if keeps else None),
        earlier=None if response.unread_reason else _earlier(capture, row) if changed else due.earlier,
        is_primary_source=visit.is_primary_source,
        changed=changed if capture.status in {200, 304} and not response.unread_reason else None,
        hinted_by=due.hinted_by,
        received=len(capture.body),
    )


def _is_new(row: CaptureRow, due: DueUrl) -> bool:
    """Whether an archived capture has new content. Rendered pages and responses to POST are archived whole, changed or not."""
    if row.record_type == "conversion" or row.request_method is not None:
        return due.earlier is None or due.earlier.content_digest != row.content_digest
    return row.record_type == "response"


def _outcome_of(capture: Capture, response: ParsedResponse, is_opted_out: bool, is_conditional: bool) -> tuple[FetchOutcome, Reason | None]:
    if is_opted_out:
        return FetchOutcome.DENIED, Reason.OPTED_OUT
    if response.too_many_redirects:
        return FetchOutcome.FILTERED, Reason.TOO_MANY_REDIRECTS
    if response.dead_end:
        return OUTCOME_OF_DEAD_END.get(response.dead_end, FetchOutcome.FAILED), response.dead_end
    if capture.status in TEMPORARY:
        return FetchOutcome.FAILED, Reason.HTTP_ERROR
    if response.unread_reason:
        return FetchOutcome.FAILED, response.unread_reason
    if capture.truncated == "time":
        return FetchOutcome.FAILED, Reason.TIMEOUT
    is_baseless = capture.status == NOT_MODIFIED and not is_conditional  # there is nothing that it could be the same as
    if capture.truncated == "disconnect" or is_baseless:
        return FetchOutcome.FAILED, Reason.MALFORMED_RESPONSE
    return FetchOutcome.FETCHED, Reason.TRUNCATED if capture.truncated else None


def _visit(
    due: DueUrl, capture: Capture, response: ParsedResponse, outcome: FetchOutcome, changed: bool, crawl: Crawl, now: float
) -> NextVisit:
    if capture.status == GONE or (capture.status in MISSING and due.fails + 1 >= MAX_MISSES):
        return after_failure(crawl.revisit, due, now, gone=True)
    if outcome is not FetchOutcome.FETCHED or capture.status in MISSING:
        return after_failure(crawl.revisit, due, now, retry_after(capture, now))
    kind = response.kind if capture.status == 200 else due.kind
    items = [_item_times(found) for found in response.discoveries if found.hints.source]
    between_runs = hours_between_runs(crawl.schedule)
    return after_response(crawl.revisit, due, kind, now, changed, response.new_items, items, between_runs)


def _item_times(found: Discovery) -> ItemTimes:
    """The times that a feed or sitemap gives for an item."""
    published = found.hints.published_at
    return ItemTimes(published.timestamp() if published else None, found.modified_at, found.hints.source)


def _earlier(capture: Capture, row: CaptureRow | None) -> EarlierCapture | None:
    if row is None or capture.truncated:
        return None
    return EarlierCapture(row.warc_filename, row.warc_record_offset, row.content_digest, capture.fetched_at.timestamp())


def failure_result(due: DueUrl, failure: FetchFailedError, revisit: Revisit, now: float) -> FetchResult:
    """The result of an exchange without a response."""
    denied = failure.reason is Reason.PRIVATE_ADDRESS
    filtered = failure.reason is Reason.UNSUPPORTED_TYPE
    outcome = FetchOutcome.DENIED if denied else FetchOutcome.FILTERED if filtered else FetchOutcome.FAILED
    return refusal_result(due, outcome, failure.reason, revisit, now)


def refusal_result(due: DueUrl, outcome: FetchOutcome, reason: Reason, revisit: Revisit, now: float) -> FetchResult:
    """The result of a URL without a response. What is known from earlier fetches stays."""
    visit = _next_visit_of_own_decision(due, reason, now) or after_failure(revisit, due, now)
    return FetchResult(
        url_id=due.url_id,
        host_id=due.host_id,
        outcome=outcome,
        reason=reason,
        fetched_at=now,
        kind=due.kind,
        due_at=visit.due_at,
        revisit=visit.revisit,
        fails=due.fails + (reason not in OWN_DECISIONS),
        etag=due.etag,
        last_modified=due.last_modified,
        earlier=due.earlier,
        is_primary_source=visit.is_primary_source,
        hinted_by=due.hinted_by,
    )


def _next_visit_of_own_decision(due: DueUrl, reason: Reason, now: float) -> NextVisit | None:
    """The next visit of a URL that was not fetched for a reason in OWN_DECISIONS; None for other reasons.

    A paused or dropped URL is due at once, but its state holds it back. A URL out of scope is due again when the crawl changes.
    """
    if reason not in OWN_DECISIONS:
        return None
    return NextVisit(None if reason is Reason.OUT_OF_SCOPE else now, due.revisit)
