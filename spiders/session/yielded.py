"""What the callback of a user's spider yielded for one response."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.outcomes import FetchOutcome, Reason
from spiders.discover.response import REDIRECTS, ParsedResponse
from spiders.spool.items import ItemBuffer
from spiders.spool.statistics import WorkerStatistics
from storage.frontier.records import Discovery, DueUrl, FetchResult
from storage.urls.request_body import as_get

SAME_METHOD = frozenset({307, 308})


@dataclass(slots=True)
class Yielded:
    """Requests as discoveries, items, and, if the callback failed, why: the page is then due again in the next run."""

    found: list[Discovery] = field(default_factory=list)
    items: ItemBuffer = field(default_factory=ItemBuffer)
    broken: Reason | None = None


NOTHING = Yielded()


def with_yielded(
    response: ParsedResponse, capture: Capture, due: DueUrl, yielded: Yielded, crawl: Crawl, statistics: WorkerStatistics
) -> ParsedResponse:
    """The response with what the callback requested, if the page may be followed. A redirect keeps the request it came from.

    After 301, 302 and 303 a POST becomes a GET, as in browsers (RFC 9110, 15.4).
    """
    found = response.discoveries
    if due.request is not None and capture.status in REDIRECTS:
        request = due.request if capture.method == "GET" or capture.status in SAME_METHOD else as_get(due.request)
        found = tuple(replace(one, request=request) for one in found)
    followed = followable(yielded.found, response, crawl, statistics)
    return replace(response, discoveries=(*found, *followed)) if found or followed else response


def followable(found: Sequence[Discovery], response: ParsedResponse, crawl: Crawl, statistics: WorkerStatistics) -> Sequence[Discovery]:
    """The requests of a page, unless its owner says that it is not to be followed."""
    if found and crawl.politeness.opt_outs == "obey" and response.opt_outs.directives.forbids_following():
        statistics.refused_requests["nofollow"] += len(found)
        return ()
    return found


def broken_page_result(result: FetchResult, reason: Reason) -> FetchResult:
    """The result of an archived page whose callback failed: failed, due in the next run, and then fetched whole."""
    if result.outcome is not FetchOutcome.FETCHED:
        return result
    return replace(
        result,
        outcome=FetchOutcome.FAILED,
        reason=reason,
        due_at=result.fetched_at,
        fails=result.fails + 1,
        etag=None,
        last_modified=None,
        earlier=None,
    )
