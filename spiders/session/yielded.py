"""What the callback of a user's spider gave back for one answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.outcomes import FetchOutcome, Reason
from spiders.discover.response import REDIRECTS, ParsedResponse
from spiders.spool.items import ItemBuffer
from spiders.spool.statistics import WorkerStatistics
from storage.frontier.records import Discovery, DueUrl, Mark
from storage.urls.request_body import as_get

SAME_METHOD = frozenset({307, 308})


@dataclass(slots=True)
class Yielded:
    """Requests as discoveries, items, and why the page is to come again in the next run, if it is."""

    found: list[Discovery] = field(default_factory=list)
    items: ItemBuffer = field(default_factory=ItemBuffer)
    broken: Reason | None = None


NOTHING = Yielded()


def with_yielded(
    answer: ParsedResponse, capture: Capture, due: DueUrl, yielded: Yielded, crawl: Crawl, statistics: WorkerStatistics
) -> ParsedResponse:
    """The answer with what the callback asked for, if its page may be followed; a redirect takes the request along,

    301, 302 and 303 as a GET, as browsers do with a POST (RFC 9110, 15.4).
    """
    found = answer.discoveries
    if due.request is not None and capture.status in REDIRECTS:
        request = due.request if capture.method == "GET" or capture.status in SAME_METHOD else as_get(due.request)
        found = tuple(replace(one, request=request) for one in found)
    followed = followable(yielded.found, answer, crawl, statistics)
    return replace(answer, discoveries=(*found, *followed)) if found or followed else answer


def followable(found: Sequence[Discovery], answer: ParsedResponse, crawl: Crawl, statistics: WorkerStatistics) -> Sequence[Discovery]:
    """The requests of a page, unless its owner says that it is not to be followed."""
    if found and crawl.politeness.opt_outs == "obey" and answer.opt_outs.directives.forbids_following():
        statistics.refused_requests["nofollow"] += len(found)
        return ()
    return found


def broken_mark(mark: Mark, reason: Reason) -> Mark:
    """The mark of an archived page that could not be understood here: failed, due in the next run, and then asked for whole."""
    if mark.outcome is not FetchOutcome.FETCHED:
        return mark
    return replace(
        mark,
        outcome=FetchOutcome.FAILED,
        reason=reason,
        due_at=mark.fetched_at,
        fails=mark.fails + 1,
        etag=None,
        last_modified=None,
        earlier=None,
    )
