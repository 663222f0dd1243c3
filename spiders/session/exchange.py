"""Recording an exchange: a response goes into the archive, the URLs it names to the frontier, and its URL gets a result.

Before: `session` gets the response from the downloader, and its body's reading from a reader.
After: `spiders.spool.registrar` keeps what is recorded here until it is registered; `session` gives the ExchangeResult to the URL's host.
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass, replace

from schemas.capture import Capture, UrlKind
from schemas.outcomes import FetchOutcome, Reason
from schemas.web.ai_preferences import header_preferences
from spiders.discover.priorities import MAX_REDIRECTS
from spiders.discover.response import ParsedResponse, has_body_to_read, read_head, reading_question, with_kind, with_reading
from spiders.download.failure import FetchFailedError
from spiders.messages.wire import Question, ReaderReply
from spiders.permission.opt_outs import NO_OPT_OUTS
from spiders.reading.reader import ReadFailure
from spiders.session.context import FetchContext
from spiders.session.redirect_chain import RedirectChain
from spiders.session.url_in_progress import UrlInProgress
from spiders.session.url_results import failure_result, refusal_result, response_result, retry_wait_of, revisit_target
from spiders.session.yielded import Yielded, broken_page_result, with_yielded
from spiders.spool.registrar import FoundOn
from storage.frontier.records import DueUrl, FetchResult, Lease
from storage.index.rows import CaptureRow
from storage.urls.host_key import canonical_host, url_digest

LOG = logging.getLogger(__name__)
IF_MEANT = "If it is meant, make it the seed, or add its host to scope.hosts."
COUNTED = frozenset({"noindex", "nofollow", "none"})  # opt-outs that are counted, although the response is archived


@dataclass(frozen=True, slots=True)
class ReceivedResponse:
    """A response and what its headers say. `yielded` is what a callback made of it, `sent` what the server had sent of a rendered page."""

    fetch: UrlInProgress
    capture: Capture
    head: ParsedResponse
    yielded: Yielded
    sent: Capture | None


@dataclass(frozen=True, slots=True)
class ExchangeResult:
    """What an exchange means for its URL and its host.

    `fetch_result` is None if nothing is final. After `retry_wait` seconds the URL is requested again; None: it is not. `response` is None
    if the host sent none. `latency` is in seconds.
    """

    fetch_result: FetchResult | None
    retry_wait: float | None = None
    response: Capture | None = None
    latency: float = 0.0


def receive(context: FetchContext, fetch: UrlInProgress, capture: Capture, yielded: Yielded, rendered: Capture | None) -> ReceivedResponse:
    """Count a response, and read its headers. `rendered` is what a browser made of it."""
    statistics, due = context.statistics, fetch.due
    statistics.responses += 1
    statistics.bytes += len(capture.body)
    statistics.statuses[str(capture.status)] += 1
    preferences = fetch.preferences if rendered is None else header_preferences(capture.response_headers).combined(fetch.preferences)
    origin = replace(capture, preferences=fetch.preferences)
    sent, capture = (
        origin,
        replace(rendered or capture, kind=due.kind, via=due.via, depth=due.depth, hints=due.hints, preferences=preferences),
    )
    return ReceivedResponse(fetch, capture, read_head(capture, due.redirects, context.rules), yielded, sent if rendered else None)


def ends_seed_redirects(due: DueUrl, capture: Capture) -> bool:
    """Whether the redirects that begin with a seed end here, at a page."""
    return due.redirects > 0 and due.depth == 0 and due.kind is UrlKind.PAGE and capture.status == 200


def body_question(context: FetchContext, received: ReceivedResponse) -> Question | None:
    """The question for a reader about the body; None if there is no body to read."""
    if not has_body_to_read(received.capture):
        return None
    return reading_question(received.capture, received.head, context.rules, received.fetch.due.url_id, received.fetch.due.redirects)


def read_response(received: ReceivedResponse, result: ReaderReply | ReadFailure) -> ParsedResponse:
    """The response with the reading of its body. If the body cannot be read within its limits, the response is archived nevertheless."""
    if isinstance(result, ReadFailure):
        LOG.warning("%s cannot be read: %s, %s", received.capture.url, result.reason, result.detail)
        return replace(received.head, kind=received.capture.kind, unread_reason=result.reason)
    assert result.reading is not None
    return with_reading(received.capture, received.head, result.reading)


def record_response(context: FetchContext, received: ReceivedResponse, response: ParsedResponse, may_retry: bool) -> ExchangeResult:
    """Archive a response, add the URLs found in it, and set the result of its URL, unless it is requested again.

    What is opted out, and a redirect to a URL that is taken down, is not archived.
    """
    fetch, capture, yielded = received.fetch, received.capture, received.yielded
    response = with_yielded(response, capture, fetch.due, yielded, context.crawl, context.statistics)
    is_opted_out = _is_opted_out(context, response, capture)
    if response.redirect_to and context.takedowns.covers(response.redirect_to):  # an erasure takes such a record out again
        response = replace(response, discoveries=(), dead_end=Reason.TAKEDOWN)
    _say_where_a_seed_leads(context, fetch.due, response)
    row = None
    if not is_opted_out and response.dead_end is not Reason.TAKEDOWN:
        row = _archive(context, fetch, with_kind(capture, response.kind), received.sent)
        context.registrar.keep_items(row, yielded.items)
    elif is_opted_out and yielded.items:
        context.statistics.refused_requests["item_of_opted_out_page"] += len(yielded.items)
    retry_wait = wait_to_retry(context, fetch, capture) if may_retry else None
    if response.redirect_to and capture.method == "GET":
        response, goes_back = _along_chain(context, fetch, capture, response, response.redirect_to, may_retry)
        retry_wait = _wait_to_go_back(context, fetch) if goes_back else retry_wait
    fetch_result, source = None, None
    if retry_wait is None:

        def result_for(count: int) -> FetchResult:
            made = response_result(fetch.due, capture, replace(response, new_items=count), row, context.crawl, is_opted_out)
            made = replace(made, etag=None, last_modified=None, earlier=None) if fetch.again else made  # of another URL
            if response.dead_end or response.too_many_redirects:
                led_here = dict.fromkeys((*fetch.chain.urls, *fetch.chain.beside))
                made = replace(made, chain=tuple(url_digest(context.crawl.name, url).hex() for url in led_here))
            return broken_page_result(made, yielded.broken) if yielded.broken else made

        fetch_result = result_for(0)
        if response.discoveries:
            source = FoundOn(fetch.due.url, result_for)
    context.registrar.add_result(fetch.lease, fetch_result, row, source)
    context.registrar.add_discoveries(response.discoveries)
    return ExchangeResult(fetch_result, retry_wait, capture, (received.sent or capture).latency_ms / 1000)


def _say_where_a_seed_leads(context: FetchContext, due: DueUrl, response: ParsedResponse) -> None:
    """Tell people of a seed that leads out of the crawl."""
    if response.dead_end is Reason.OUT_OF_SCOPE and due.depth == 0 and due.kind is UrlKind.PAGE:
        LOG.warning("%s, a seed of %s, leads out of the crawl, to %s. %s", due.url, context.crawl.name, response.redirect_to, IF_MEANT)


def _along_chain(
    context: FetchContext, fetch: UrlInProgress, capture: Capture, response: ParsedResponse, target: str, may_retry: bool
) -> tuple[ParsedResponse, bool]:
    """Follow a redirect along its chain: the response with what it leads to, and whether a URL of the chain is requested again.

    That is done if the URL is sent other cookies now. Otherwise the chain is a loop.
    """
    chain = fetch.chain.after(capture)
    if target not in chain.urls:
        response = _known_end(context, fetch, response, chain)
        if response.discoveries:
            context.chains.remember(target, chain)
        return response, False
    if (
        chain.has_new_cookies(target)
        and len(chain.urls) <= MAX_REDIRECTS
        and may_retry
        and context.scope.covers(target, capture.kind, capture.depth)
    ):
        fetch.go_back(target, chain)
        return replace(response, discoveries=(), dead_end=None), True
    if not chain.cookies:
        context.chains.learn(capture.url, Reason.REDIRECT_LOOP)
    return _leading_nowhere(context, fetch, response, capture.url, Reason.REDIRECT_LOOP), False


def _known_end(context: FetchContext, fetch: UrlInProgress, response: ParsedResponse, chain: RedirectChain) -> ParsedResponse:
    """The response of a redirect to a URL that was requested before in this run, and leads nowhere: then this one does so, too.

    Cookies may lead elsewhere.
    """
    url, target = chain.urls[-1], response.redirect_to or ""
    reason, passed = response.dead_end, tuple[str, ...]()
    if reason is None and not chain.cookies:
        reason, passed = context.chains.known_end(url, target)
    if not fetch.chain.cookies and (reason or not chain.cookies):
        context.chains.learn(url, reason or target)
    return response if reason is None else _leading_nowhere(context, fetch, response, url, reason, passed)


def _leading_nowhere(
    context: FetchContext, fetch: UrlInProgress, response: ParsedResponse, url: str, reason: Reason, passed: tuple[str, ...] = ()
) -> ParsedResponse:
    """The response of a URL that leads nowhere, as does what was `passed` behind it, and what led to a step of its chain later."""
    late = [context.chains.take(step) for step in (*fetch.chain.urls, url)]
    beside = (found for chain in late for found in (*chain.urls, *chain.beside))
    fetch.chain = replace(fetch.chain, beside=(*fetch.chain.beside, *passed, *beside))
    return replace(response, discoveries=(), dead_end=reason)


def _wait_to_go_back(context: FetchContext, fetch: UrlInProgress) -> float:
    """Seconds before a URL of the chain is requested again: on another host than the leased one, the crawl's delay."""
    return 0.0 if canonical_host(fetch.url) == fetch.lease.host else context.crawl.politeness.delay


def record_failure(
    context: FetchContext, fetch: UrlInProgress, error: BaseException, yielded: Yielded, may_retry: bool
) -> ExchangeResult | None:
    """Set the result of a URL whose exchange gave no response, unless it is requested again.

    None if it could be requested again, but the session ends: then the URL stays due.
    """
    failure = _failure(error)
    context.statistics.errors += 1
    context.statistics.host(fetch.lease.host).errors += 1
    if failure.retryable and not may_retry:
        return None
    retry_wait = wait_to_retry_failed(context, fetch, error)
    fetch_result = failure_result(fetch.due, failure, context.crawl.revisit, time.time()) if retry_wait is None else None
    context.registrar.add_result(fetch.lease, fetch_result)
    context.registrar.add_discoveries(yielded.found)
    return ExchangeResult(fetch_result, retry_wait)


def record_refusal(context: FetchContext, due: DueUrl, lease: Lease, outcome: FetchOutcome, reason: Reason) -> None:
    """Set the result of a URL that is not to be fetched."""
    context.registrar.add_result(lease, refusal_result(due, outcome, reason, context.crawl.revisit, time.time()))


def wait_to_retry(context: FetchContext, fetch: UrlInProgress, capture: Capture) -> float | None:
    """Seconds after which a URL is requested again, None if its response is final."""
    return retry_wait_of(capture, fetch.tries, context.crawl)


def wait_to_retry_failed(context: FetchContext, fetch: UrlInProgress, error: BaseException) -> float | None:
    """Seconds after which a URL is requested again whose exchange gave no response, None if that is final."""
    again = _failure(error).retryable and fetch.tries < context.crawl.budgets.max_retries
    return 2.0**fetch.tries if again else None


def _archive(context: FetchContext, fetch: UrlInProgress, capture: Capture, sent: Capture | None) -> CaptureRow:
    """Archive a capture. One that a browser rendered is archived together with what the server had sent."""
    if sent is None:
        return context.registrar.archive(capture, fetch.lease, revisit_target(capture, fetch.due))
    unrendered = replace(sent, kind=UrlKind.UNRENDERED, via=capture.via, depth=capture.depth, hints=capture.hints)
    return context.registrar.archive_rendered(unrendered, capture, fetch.lease)


def _is_opted_out(context: FetchContext, response: ParsedResponse, capture: Capture) -> bool:
    """Whether the response may not be archived. Counts its opt-outs, also if the crawl only records them."""
    if response.opt_outs is NO_OPT_OUTS:
        return False
    opt_out = response.opt_outs.archiving_opt_out(capture.fetched_at)
    words = set(response.opt_outs.directives.words & COUNTED) | ({opt_out} if opt_out else set())
    context.statistics.opt_outs.update(words)
    return opt_out is not None and context.crawl.politeness.opt_outs == "obey"


def _failure(error: BaseException) -> FetchFailedError:
    return error if isinstance(error, FetchFailedError) else FetchFailedError(Reason.CONNECTION, repr(error), retryable=True)
