"""The callbacks of a user's spider: called with each answer that stands; what they yield goes to the frontier or is kept."""

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
from spiders.custom.full_response import full_response, is_wanted
from spiders.custom.loader import make_spider
from spiders.custom.request_text import WITHOUT_EFFECT, request_from_text, request_text
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
SHOWN_TRACEBACKS = 3
BREATH_REQUESTS = 100
NOT_MODIFIED = 304
CUT_OFF = frozenset({"time", "disconnect"})

Call = Callable[[], Any]  # Any: what callbacks give back may be an item, a request, or any kind of iterable or awaitable of them


class Callbacks:
    """A user's spider at work in a session. Raises SpiderError when it cannot be made."""

    def __init__(self, kind: type[scrapy.Spider], crawler: Crawler, session: FetchSession) -> None:
        self._spider = make_spider(kind, crawler)
        self._session = session
        self._context = session.context
        self._encoder = ScrapyJSONEncoder(ensure_ascii=False)
        self._domains = tuple(getattr(self._spider, "allowed_domains", None) or ())
        self._warned: set[str] = set()

    async def begin(self) -> None:
        """Takes in what `start` asks for; the session does not end before. Raises SpiderError where it breaks."""
        count = 0
        try:
            async for one in self._spider.start():
                count += 1
                self._take_start(one)
                if self._context.registrar.has_many_found():
                    await self._context.registrar.flush()
                if count % BREATH_REQUESTS == 0:
                    await asyncio.sleep(0)  # others have their turn, whatever `start` does
        except CloseSpider as stop:
            self._close(stop)
        except SpiderError as error:
            raise SpiderError(f"start of {self._named()}: {error}") from error
        except Exception as error:
            raise SpiderError(f"start of {self._named()} broke: {type(error).__name__}: {error}. What it had asked for is kept.") from error
        await self._context.registrar.flush()

    async def answered(self, fetch: Fetch, capture: Capture, rendered: Capture | None = None) -> None:
        """Calls back with an answer that stands, or with what a browser made of it, then hands all to the session."""
        stands = not self._session.will_retry(fetch, capture) and capture.status != NOT_MODIFIED
        self._session.receive(fetch, capture, await self._ask(fetch.due, rendered or capture) if stands else NOTHING, rendered)

    async def failed(self, fetch: Fetch, error: BaseException) -> None:
        """Calls back about an exchange without an answer that is not tried again, then hands both to the session."""
        yielded = NOTHING if self._session.will_retry_failed(fetch, error) else await self._tell(fetch.due, error)
        self._session.receive_failure(fetch, error, yielded)

    async def end(self, reason: str) -> None:
        """Tells the spider that its session is over."""
        closed = getattr(self._spider, "closed", None)
        if callable(closed):
            try:
                await ensure_awaitable(closed(reason))
            except Exception as error:
                self._note("closed", error)

    async def _ask(self, due: DueUrl, capture: Capture) -> Yielded:
        try:
            request = self._request(due)
        except SpiderError as error:
            self._note("callback", error)
            return Yielded(broken=Reason.CALLBACK_ERROR)
        body = await self._context.readers.decoded(capture, self._context.crawl.budgets.max_body_bytes, due.url_id)
        if isinstance(body, ReadFailure):  # reading its links will say the same
            return NOTHING
        with self._context.readers.journal.reading(due.url_id):
            return await self._call(due, capture, full_response(capture, body, request), request)

    async def _call(self, due: DueUrl, capture: Capture, response: Response, request: scrapy.Request) -> Yielded:
        """Calls the request's callback, or its errback where the response is none that the callback takes."""
        if is_wanted(response, self._spider) and capture.truncated not in CUT_OFF:
            callback: Any = request.callback or self._spider._parse  # noqa: SLF001 what Scrapy itself calls; Any: a callback of whatever kind
            return await self._collect(_name(request.callback or "parse"), partial(callback, response, **request.cb_kwargs), due)
        if request.errback is None or capture.status in REDIRECTS:
            return NOTHING
        failure = _failure(HttpError(response, f"{capture.url} answered {capture.status}"), request)
        return await self._collect(_name(request.errback), partial(request.errback, failure), due)

    async def _tell(self, due: DueUrl, error: BaseException) -> Yielded:
        try:
            request = self._request(due)
        except SpiderError:  # the failure itself is what counts
            return NOTHING
        if request.errback is None:
            return NOTHING
        yielded = await self._collect(_name(request.errback), partial(request.errback, _failure(error, request)), due)
        self._refuse("item_without_page", len(yielded.items))
        return yielded

    def _request(self, due: DueUrl) -> scrapy.Request:
        request = request_from_text(due.request, due.url, self._spider)
        request.meta["depth"] = due.depth
        return request

    async def _collect(self, name: str, call: Call, due: DueUrl) -> Yielded:
        """What a callback gives back; its errors, of whatever kind, are counted here and nowhere else."""
        yielded = Yielded()
        try:
            async with asyncio.timeout(MAX_CALLBACK_SECONDS):
                async for one in _results(call()):
                    self._take(name, one, due, yielded)
        except CloseSpider as stop:
            self._close(stop)
        except Exception as error:
            self._break(name, error, yielded, due.url)
        return yielded

    def _take(self, name: str, one: object, due: DueUrl, yielded: Yielded) -> None:
        """An item or a request; one that cannot be kept does not take the others with it."""
        try:
            if isinstance(one, scrapy.Request):
                found = self._discovery(one, due.url, due.depth + 1)
                yielded.found += [found] if found else []
            else:
                yielded.items.append(self._item(one))
        except SpiderError as error:
            self._break(name, error, yielded, due.url)

    def _take_start(self, one: object) -> None:
        if not isinstance(one, scrapy.Request):
            self._refuse("item_without_page")
            return
        found = self._discovery(one, None, 0)
        if found:
            self._context.registrar.add_discoveries([found])

    def _discovery(self, request: scrapy.Request, via: str | None, depth: int) -> Discovery | None:
        """A request as the frontier takes it; None, and counted, where it is not to be fetched. Raises SpiderError."""
        text = request_text(request, self._spider)
        self._warn_of(request)
        url = canonicalize(request.url, strip=False)
        if url is None:
            self._refuse("no_http_url")
        elif not self._context.scope.covers(url, UrlKind.PAGE, depth):
            self._refuse("out_of_scope")
        elif self._domains and not url_is_from_any_domain(_without_port(url), self._domains):
            self._refuse("allowed_domains")
        else:
            priority = min(max(PAGE_PRIORITY + depth - request.priority, 0), MAX_PRIORITY)
            return Discovery(url, UrlKind.PAGE, via, depth, priority=priority, request=text)
        return None

    def _item(self, item: object) -> str:
        if not ItemAdapter.is_item(item):
            raise SpiderError(f"{item!r:.200} is neither a request nor an item. Yield a dict, a dataclass or a scrapy.Item.")
        plain = ItemAdapter(item).asdict()
        try:
            return self._encoder.encode(plain)
        except (TypeError, ValueError) as error:
            wrong = next((f", its {key!r}" for key, value in plain.items() if not self._is_json(value)), "")
            raise SpiderError(f"An item of {self._named()}{wrong} cannot be kept as JSON: {error}.") from error

    def _is_json(self, value: object) -> bool:
        try:
            self._encoder.encode(value)
        except (TypeError, ValueError):
            return False
        return True

    def _refuse(self, why: str, count: int = 1) -> None:
        if count:
            self._context.statistics.refused_requests[why] += count

    def _break(self, name: str, error: Exception, yielded: Yielded, url: str) -> None:
        yielded.broken = Reason.CALLBACK_ERROR
        self._note(name, error, url)

    def _note(self, name: str, error: Exception, url: str = "") -> None:
        """Counts an error, and logs the first of its kind."""
        kind = f"{name}: {type(error).__name__}"
        self._context.statistics.callback_errors[kind] += 1
        count = self._context.statistics.callback_errors[kind]
        if count <= SHOWN_TRACEBACKS:
            last = " Further ones of this kind are only counted." if count == SHOWN_TRACEBACKS else ""
            shown = None if isinstance(error, SpiderError) else error
            LOG.error("%s of %s broke at %s: %s.%s", name, self._named(), url or "its end", error or kind, last, exc_info=shown)

    def _warn_of(self, request: scrapy.Request) -> None:
        for key in (WITHOUT_EFFECT & request.meta.keys()) - self._warned:
            self._warned.add(key)
            LOG.warning(
                "meta[%r] in requests of %s has no effect in crawlhouse: the crawl's YAML says how pages are fetched.", key, self._named()
            )

    def _close(self, stop: CloseSpider) -> None:
        self._session.end_run(f"spider:{stop.reason}")

    def _named(self) -> str:
        return type(self._spider).__name__


async def _results(output: Any) -> AsyncIterator[object]:  # Any: see Call
    output = await ensure_awaitable(output) if not hasattr(output, "__aiter__") else output
    if hasattr(output, "__aiter__"):
        async for one in output:
            yield one
        return
    for one in arg_to_iter(output):
        if one is not None:
            yield one


def _failure(error: BaseException, request: scrapy.Request) -> Failure:
    failure = Failure(error)  # type: ignore[no-untyped-call]
    failure.request = request  # type: ignore[attr-defined]
    return failure


def _without_port(url: str) -> str:
    """`allowed_domains` are names alone."""
    return f"{urlsplit(url).scheme}://{host_name(url)}/"


def _name(callback: object) -> str:
    return str(getattr(callback, "__name__", callback))
