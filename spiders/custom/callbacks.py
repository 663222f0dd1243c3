"""Call the callbacks of a user's spider with each final response. Requests that they yield go to the frontier, items are stored."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import scrapy
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.defer import ensure_awaitable
from scrapy.utils.misc import arg_to_iter
from scrapy.utils.url import url_is_from_any_domain
from twisted.python.failure import Failure

from schemas.capture import Capture, UrlKind
from schemas.errors import SpiderError, StorageError
from schemas.items import ProblemRule
from schemas.outcomes import Reason
from spiders.custom.full_response import full_response, is_status_handled
from spiders.custom.item_json import UnstorableItemError, check_item, described_item, item_json, item_type_name
from spiders.custom.item_pipelines import ItemLostError, ItemPipelines, last_line
from spiders.custom.item_types import item_type
from spiders.custom.loader import make_spider
from spiders.custom.page_objects import PageObjects, item_of, use_zyte_items, uses_page_objects
from spiders.custom.request_text import IGNORED_META_KEYS, request_from_text, request_text
from spiders.custom.surroundings import Session
from spiders.discover.priorities import PAGE_PRIORITY
from spiders.discover.response import REDIRECTS
from spiders.reading.reader import ReadFailure
from spiders.session.url_in_progress import UrlInProgress
from spiders.session.yielded import NOTHING, Yielded
from spiders.urls.canonical import canonicalize
from storage.frontier.records import Discovery, DueUrl
from storage.urls.host_key import host_name

LOG = logging.getLogger(__name__)
MAX_CALLBACK_SECONDS = 300.0  # chosen: a page that needs longer holds up its host
MAX_PRIORITY = 30_000  # of the frontier: a small integer column; higher ones are for revisits
LOGGED_TRACEBACKS = 3  # of each kind of error, so that a spider that fails on every page does not fill the log
RESULTS_BETWEEN_PAUSES = 100
NOT_MODIFIED = 304
INCOMPLETE_BODY = frozenset({"time", "disconnect"})

Call = Callable[[], Any]  # Any: callbacks return an item, a request, or any kind of iterable or awaitable of them


class Callbacks:
    """A user's spider in a session. Raises SpiderError if the spider or one of its pipelines cannot be made."""

    def __init__(self, spider_class: type[scrapy.Spider], crawler: Crawler, session: Session) -> None:
        use_zyte_items()
        self._spider = make_spider(spider_class, crawler)
        self._session = session
        self._context = session.context
        statistics = session.context.statistics
        self._pipelines = ItemPipelines(self._spider.crawler, statistics.dropped_items, self._count_pipeline_error)
        self._page_objects = PageObjects(self._spider.crawler) if uses_page_objects() else None
        self._allowed_domains = tuple(getattr(self._spider, "allowed_domains", None) or ())
        self._warned_meta_keys: set[str] = set()

    async def open(self) -> None:
        """Open the item pipelines, without the requests of `start`. Raises SpiderError if one fails."""
        await self._pipelines.open()

    async def run_start(self) -> None:
        """Open the item pipelines and add the requests of `start`; the session does not end before. Raises SpiderError if one fails."""
        await self.open()
        count = 0
        try:
            async for result in self._spider.start():
                count += 1
                self._accept_start_request(result)
                if self._context.registrar.has_many_found():
                    await self._context.registrar.flush()
                if count % RESULTS_BETWEEN_PAUSES == 0:
                    await asyncio.sleep(0)  # the other coroutines get their turn
        except CloseSpider as stop:
            self._end_run(stop)
        except SpiderError as error:
            raise SpiderError(f"start of {self._spider_name()}: {error}") from error
        except Exception as error:
            raise SpiderError(
                f"start of {self._spider_name()} failed: {type(error).__name__}: {error}. The requests before that are stored."
            ) from error
        await self._context.registrar.flush()

    async def handle_response(self, fetch: UrlInProgress, capture: Capture, rendered: Capture | None = None) -> None:
        """Call the callback with a final response, or with the page that a browser rendered. Then pass the results to the session."""
        is_final = not self._session.will_retry(fetch, capture) and capture.status != NOT_MODIFIED
        yielded = await self._run_callback(fetch.due, rendered or capture) if is_final else NOTHING
        self._session.receive(fetch, capture, yielded, rendered)

    async def handle_failure(self, fetch: UrlInProgress, error: BaseException) -> None:
        """Call the errback for a request without a response that is not tried again. Then pass the results to the session."""
        yielded = NOTHING if self._session.will_retry_failed(fetch, error) else await self._run_errback(fetch.due, error)
        self._session.receive_failure(fetch, error, yielded)

    async def close(self, reason: str) -> None:
        """Close the pipelines and the spider, as Scrapy does at the end of a crawl."""
        await self._pipelines.close()
        closed = getattr(self._spider, "closed", None)
        if callable(closed):
            try:
                await ensure_awaitable(closed(reason))
            except Exception as error:
                self._count_callback_error("closed", error)

    async def _run_callback(self, due: DueUrl, capture: Capture) -> Yielded:
        await self._pipelines.wait_until_open()
        try:
            request = self._request(due)
        except SpiderError as error:
            self._count_callback_error("callback", error)
            yielded = self._nothing_because("unread", str(error))
            yielded.broken = Reason.CALLBACK_ERROR
            return yielded
        body = await self._context.readers.decoded(capture, self._context.crawl.budgets.max_body_bytes, due.url_id)
        if isinstance(body, ReadFailure):  # the reading of its links ends the same way, and is counted
            return self._nothing_because("unread", f"{body.reason}: {body.detail}")
        with self._context.readers.journal.reading(due.url_id):
            return await self._call_method(due, capture, full_response(capture, body, request), request)

    async def _call_method(self, due: DueUrl, capture: Capture, response: Response, request: scrapy.Request) -> Yielded:
        """Call the request's callback, or its errback if the callback does not handle the response's status."""
        if is_status_handled(response, self._spider) and capture.truncated not in INCOMPLETE_BODY:
            name = _callable_name(request.callback or "parse")
            return await self._collect_results(name, partial(self._call_back, request, response), due)
        if request.errback is None or capture.status in REDIRECTS:
            return NOTHING
        failure = _failure(HttpError(response, f"{capture.url} answered {capture.status}"), request)
        return await self._collect_results(_callable_name(request.errback), partial(request.errback, failure), due)

    async def _call_back(self, request: scrapy.Request, response: Response) -> Any:  # Any: see Call
        """Call the callback with its `cb_kwargs` and the page objects that it asks for."""
        arguments = request.cb_kwargs if self._page_objects is None else await self._page_objects.arguments(request, response)
        callback: Any = request.callback or self._spider._parse  # noqa: SLF001 what Scrapy itself calls; Any: any kind of callback
        result = callback(response, **arguments)
        return result if hasattr(result, "__aiter__") else await ensure_awaitable(result)

    async def _run_errback(self, due: DueUrl, error: BaseException) -> Yielded:
        await self._pipelines.wait_until_open()
        try:
            request = self._request(due)
        except SpiderError:  # the failed request is counted, not its errback
            return NOTHING
        if request.errback is None:
            return NOTHING
        yielded = await self._collect_results(_callable_name(request.errback), partial(request.errback, _failure(error, request)), due)
        self._count_refused("item_without_page", len(yielded.items))
        return yielded

    def _request(self, due: DueUrl) -> scrapy.Request:
        request = request_from_text(due.request, due.url, self._spider)
        request.meta["depth"] = due.depth
        return request

    async def _collect_results(self, name: str, call: Call, due: DueUrl) -> Yielded:
        """The requests and items that a callback yields. Errors of callbacks are counted here. Raises StorageError: the disk is full."""
        yielded, count = Yielded(items=self._context.registrar.item_buffer()), 0
        try:
            async with asyncio.timeout(MAX_CALLBACK_SECONDS):
                async for result in _each_result(call()):
                    count += 1
                    await self._accept(name, result, due, yielded)
                    if count % RESULTS_BETWEEN_PAUSES == 0:
                        await asyncio.sleep(0)
        except CloseSpider as stop:
            yielded.items.add_problem("callback", f"{name} ended the run: {stop.reason}")
            self._end_run(stop)
        except StorageError:
            raise
        except Exception as error:
            yielded.items.add_problem("callback", f"{name}: {last_line(error)}")
            self._count_failure(name, error, yielded, due.url)
        return yielded

    async def _accept(self, name: str, result: object, due: DueUrl, yielded: Yielded) -> None:
        """Take a request or an item. One that cannot be stored does not stop the others."""
        try:
            if isinstance(result, scrapy.Request):
                discovery = self._discovery(result, due.url, due.depth + 1)
                yielded.found += [discovery] if discovery else []
            else:
                await self._accept_item(name, await item_of(result), due.url, yielded)
        except SpiderError as error:
            if not isinstance(result, scrapy.Request):
                yielded.items.add_problem("callback", f"{name}: {error}")
            self._count_failure(name, error, yielded, due.url)

    def _nothing_because(self, rule: ProblemRule, problem: str) -> Yielded:
        """What a callback yielded that was not called."""
        yielded = Yielded(items=self._context.registrar.item_buffer())
        yielded.items.add_problem(rule, problem)
        return yielded

    async def _accept_item(self, name: str, item: object, url: str, yielded: Yielded) -> None:
        check_item(item)
        try:
            processed = await self._pipelines.process(item, url)
        except ItemLostError as error:
            yielded.items.add_problem("pipeline", str(error), item_type_name(item), described_item(item))
            return
        if processed is None:
            return
        try:
            encoded = item_json(processed)
        except UnstorableItemError as error:
            yielded.items.add_problem(error.rule, str(error), item_type_name(processed), error.described)
            self._count_failure(name, SpiderError(str(error)), yielded, url)
            return
        yielded.items.append(item_type_name(processed), encoded, item_type(type(processed)))

    def _accept_start_request(self, result: object) -> None:
        if not isinstance(result, scrapy.Request):
            self._count_refused("item_without_page")
            return
        discovery = self._discovery(result, None, 0)
        if discovery:
            self._context.registrar.add_discoveries([discovery])

    def _discovery(self, request: scrapy.Request, via: str | None, depth: int) -> Discovery | None:
        """A request as a row of the frontier; None, and counted, if it may not be fetched. Raises SpiderError."""
        text = request_text(request, self._spider)
        self._warn_about_meta(request)
        url = canonicalize(request.url, strip_parameters=False)
        if url is None:
            self._count_refused("no_http_url")
        elif not self._context.scope.covers(url, UrlKind.PAGE, depth):
            self._count_refused("out_of_scope")
        elif self._allowed_domains and not url_is_from_any_domain(_origin_without_port(url), self._allowed_domains):
            self._count_refused("allowed_domains")
        else:
            priority = min(max(PAGE_PRIORITY + depth - request.priority, 0), MAX_PRIORITY)
            return Discovery(url, UrlKind.PAGE, via, depth, priority=priority, request=text)
        return None

    def _count_refused(self, reason: str, count: int = 1) -> None:
        if count:
            self._context.statistics.refused_requests[reason] += count

    def _count_failure(self, name: str, error: Exception, yielded: Yielded, url: str) -> None:
        yielded.broken = Reason.CALLBACK_ERROR
        self._count_callback_error(name, error, url)

    def _count_callback_error(self, name: str, error: Exception, url: str = "") -> None:
        """Count an error. The first ones of its kind are logged with their traceback."""
        ending = _count(self._context.statistics.callback_errors, name, error)
        if ending is not None:
            traceback = None if isinstance(error, SpiderError) else error
            place = url or "its end"
            text = str(error).removesuffix(".") or type(error).__name__
            LOG.error("%s of %s failed at %s: %s.%s", name, self._spider_name(), place, text, ending, exc_info=traceback)

    def _count_pipeline_error(self, name: str, error: Exception, url: str) -> None:
        """Count an error. The first ones of its kind are logged with the last line of their traceback."""
        ending = _count(self._context.statistics.pipeline_errors, name, error)
        if ending is not None:
            LOG.error("%s failed at %s: %s.%s", name, url or "its end", last_line(error), ending)

    def _warn_about_meta(self, request: scrapy.Request) -> None:
        for key in (IGNORED_META_KEYS & request.meta.keys()) - self._warned_meta_keys:
            self._warned_meta_keys.add(key)
            LOG.warning(
                "meta[%r] in requests of %s has no effect in crawlhouse: the crawl's YAML says how pages are fetched.",
                key,
                self._spider_name(),
            )

    def _end_run(self, stop: CloseSpider) -> None:
        self._session.end_run(f"spider:{stop.reason}")

    def _spider_name(self) -> str:
        return type(self._spider).__name__


def _count(counts: Counter[str], name: str, error: Exception) -> str | None:
    """Count an error by name and class. Returns the end of its log line; None if enough of its kind are logged."""
    kind = f"{name}: {type(error).__name__}"
    counts[kind] += 1
    if counts[kind] > LOGGED_TRACEBACKS:
        return None
    return " Further errors of this kind are only counted." if counts[kind] == LOGGED_TRACEBACKS else ""


async def _each_result(output: Any) -> AsyncIterator[object]:  # Any: see Call
    output = await ensure_awaitable(output) if not hasattr(output, "__aiter__") else output
    if hasattr(output, "__aiter__"):
        async for result in output:
            yield result
        return
    for result in arg_to_iter(output):
        if result is not None:
            yield result


def _failure(error: BaseException, request: scrapy.Request) -> Failure:
    failure = Failure(error)  # type: ignore[no-untyped-call]
    failure.request = request  # type: ignore[attr-defined]
    return failure


def _origin_without_port(url: str) -> str:
    """The start of a URL without its port: `allowed_domains` are names alone."""
    return f"{urlsplit(url).scheme}://{host_name(url)}/"


def _callable_name(callback: object) -> str:
    return str(getattr(callback, "__name__", callback))
