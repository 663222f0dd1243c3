"""Call the callbacks of a user's spider with each final response. Requests that they yield go to the frontier, items are stored."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import scrapy
from itemadapter import ItemAdapter
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider
from scrapy.http import Response
from scrapy.spidermiddlewares.httperror import HttpError
from scrapy.utils.defer import ensure_awaitable
from scrapy.utils.misc import arg_to_iter
from scrapy.utils.serialize import ScrapyJSONEncoder
from scrapy.utils.url import url_is_from_any_domain
from twisted.python.failure import Failure

from schemas.capture import Capture, UrlKind
from schemas.errors import SpiderError
from schemas.outcomes import Reason
from spiders.custom.full_response import full_response, is_status_handled
from spiders.custom.loader import make_spider
from spiders.custom.request_text import IGNORED_META_KEYS, request_from_text, request_text
from spiders.discover.priorities import PAGE_PRIORITY
from spiders.discover.response import REDIRECTS
from spiders.reading.reader import ReadFailure
from spiders.session.fetch import Fetch
from spiders.session.session import FetchSession
from spiders.session.yielded import NOTHING, Yielded
from spiders.urls.canonical import canonicalize
from storage.frontier.records import Discovery, DueUrl
from storage.urls.host_key import host_name

LOG = logging.getLogger(__name__)
MAX_CALLBACK_SECONDS = 300.0
MAX_PRIORITY = 30_000
LOGGED_TRACEBACKS = 3
REQUESTS_BETWEEN_PAUSES = 100
NOT_MODIFIED = 304
INCOMPLETE_BODY = frozenset({"time", "disconnect"})

Call = Callable[[], Any]  # Any: what callbacks give back may be an item, a request, or any kind of iterable or awaitable of them


class Callbacks:
    """A user's spider at work in a session. Raises SpiderError when it cannot be made."""

    def __init__(self, spider_class: type[scrapy.Spider], crawler: Crawler, session: FetchSession) -> None:
        self._spider = make_spider(spider_class, crawler)
        self._session = session
        self._context = session.context
        self._encoder = ScrapyJSONEncoder(ensure_ascii=False)
        self._allowed_domains = tuple(getattr(self._spider, "allowed_domains", None) or ())
        self._warned_meta_keys: set[str] = set()

    async def run_start(self) -> None:
        """Takes in what `start` asks for; the session does not end before. Raises SpiderError where it breaks."""
        count = 0
        try:
            async for result in self._spider.start():
                count += 1
                self._accept_start_request(result)
                if self._context.registrar.has_many_found():
                    await self._context.registrar.flush()
                if count % REQUESTS_BETWEEN_PAUSES == 0:
                    await asyncio.sleep(0)  # others have their turn, whatever `start` does
        except CloseSpider as stop:
            self._end_run(stop)
        except SpiderError as error:
            raise SpiderError(f"start of {self._spider_name()}: {error}") from error
        except Exception as error:
            raise SpiderError(
                f"start of {self._spider_name()} broke: {type(error).__name__}: {error}. What it had asked for is kept."
            ) from error
        await self._context.registrar.flush()

    async def handle_response(self, fetch: Fetch, capture: Capture, rendered: Capture | None = None) -> None:
        """Calls back with an answer that stands, or with what a browser made of it, then hands all to the session."""
        stands = not self._session.will_retry(fetch, capture) and capture.status != NOT_MODIFIED
        self._session.receive(fetch, capture, await self._run_callback(fetch.due, rendered or capture) if stands else NOTHING, rendered)

    async def handle_failure(self, fetch: Fetch, error: BaseException) -> None:
        """Calls back about an exchange without an answer that is not tried again, then hands both to the session."""
        yielded = NOTHING if self._session.will_retry_failed(fetch, error) else await self._run_errback(fetch.due, error)
        self._session.receive_failure(fetch, error, yielded)

    async def close(self, reason: str) -> None:
        """Tells the spider that its session is over."""
        closed = getattr(self._spider, "closed", None)
        if callable(closed):
            try:
                await ensure_awaitable(closed(reason))
            except Exception as error:
                self._count_error("closed", error)

    async def _run_callback(self, due: DueUrl, capture: Capture) -> Yielded:
        try:
            request = self._request(due)
        except SpiderError as error:
            self._count_error("callback", error)
            return Yielded(broken=Reason.CALLBACK_ERROR)
        body = await self._context.readers.decoded(capture, self._context.crawl.budgets.max_body_bytes, due.url_id)
        if isinstance(body, ReadFailure):  # reading its links will say the same
            return NOTHING
        with self._context.readers.journal.reading(due.url_id):
            return await self._call_method(due, capture, full_response(capture, body, request), request)

    async def _call_method(self, due: DueUrl, capture: Capture, response: Response, request: scrapy.Request) -> Yielded:
        """Calls the request's callback, or its errback where the response is none that the callback takes."""
        if is_status_handled(response, self._spider) and capture.truncated not in INCOMPLETE_BODY:
            callback: Any = request.callback or self._spider._parse  # noqa: SLF001 what Scrapy itself calls; Any: a callback of whatever kind
            return await self._collect_results(
                _callable_name(request.callback or "parse"), partial(callback, response, **request.cb_kwargs), due
            )
        if request.errback is None or capture.status in REDIRECTS:
            return NOTHING
        failure = _failure(HttpError(response, f"{capture.url} answered {capture.status}"), request)
        return await self._collect_results(_callable_name(request.errback), partial(request.errback, failure), due)

    async def _run_errback(self, due: DueUrl, error: BaseException) -> Yielded:
        try:
            request = self._request(due)
        except SpiderError:  # the failure itself is what counts
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
        """What a callback gives back; its errors, of whatever kind, are counted here and nowhere else."""
        yielded = Yielded()
        try:
            async with asyncio.timeout(MAX_CALLBACK_SECONDS):
                async for result in _each_result(call()):
                    self._accept(name, result, due, yielded)
        except CloseSpider as stop:
            self._end_run(stop)
        except Exception as error:
            self._count_failure(name, error, yielded, due.url)
        return yielded

    def _accept(self, name: str, result: object, due: DueUrl, yielded: Yielded) -> None:
        """An item or a request; one that cannot be kept does not take the others with it."""
        try:
            if isinstance(result, scrapy.Request):
                discovery = self._discovery(result, due.url, due.depth + 1)
                yielded.found += [discovery] if discovery else []
            else:
                yielded.items.append(self._item_json(result))
        except SpiderError as error:
            self._count_failure(name, error, yielded, due.url)

    def _accept_start_request(self, result: object) -> None:
        if not isinstance(result, scrapy.Request):
            self._count_refused("item_without_page")
            return
        discovery = self._discovery(result, None, 0)
        if discovery:
            self._context.registrar.add_discoveries([discovery])

    def _discovery(self, request: scrapy.Request, via: str | None, depth: int) -> Discovery | None:
        """A request as the frontier takes it; None, and counted, where it is not to be fetched. Raises SpiderError."""
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

    def _item_json(self, item: object) -> str:
        if not ItemAdapter.is_item(item):
            raise SpiderError(f"{item!r:.200} is neither a request nor an item. Yield a dict, a dataclass or a scrapy.Item.")
        values = ItemAdapter(item).asdict()
        try:
            return self._encoder.encode(values)
        except (TypeError, ValueError) as error:
            unserializable = next((f", its {key!r}" for key, value in values.items() if not self._is_serializable(value)), "")
            raise SpiderError(f"An item of {self._spider_name()}{unserializable} cannot be kept as JSON: {error}.") from error

    def _is_serializable(self, value: object) -> bool:
        try:
            self._encoder.encode(value)
        except (TypeError, ValueError):
            return False
        return True

    def _count_refused(self, reason: str, count: int = 1) -> None:
        if count:
            self._context.statistics.refused_requests[reason] += count

    def _count_failure(self, name: str, error: Exception, yielded: Yielded, url: str) -> None:
        yielded.broken = Reason.CALLBACK_ERROR
        self._count_error(name, error, url)

    def _count_error(self, name: str, error: Exception, url: str = "") -> None:
        """Counts an error, and logs the first of its kind."""
        kind = f"{name}: {type(error).__name__}"
        self._context.statistics.callback_errors[kind] += 1
        count = self._context.statistics.callback_errors[kind]
        if count <= LOGGED_TRACEBACKS:
            ending = " Further errors of this kind are only counted." if count == LOGGED_TRACEBACKS else ""
            traceback = None if isinstance(error, SpiderError) else error
            LOG.error("%s of %s broke at %s: %s.%s", name, self._spider_name(), url or "its end", error or kind, ending, exc_info=traceback)

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
    """`allowed_domains` are names alone."""
    return f"{urlsplit(url).scheme}://{host_name(url)}/"


def _callable_name(callback: object) -> str:
    return str(getattr(callback, "__name__", callback))
