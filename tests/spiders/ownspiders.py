"""Spiders as users write them, for the tests; OWN_SPIDER_BASE in the environment says where their site is."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from scrapy import Request, Spider
from scrapy.exceptions import CloseSpider
from scrapy.http import FormRequest, HtmlResponse, JsonRequest, Response, TextResponse
from scrapy.linkextractors import LinkExtractor
from scrapy.spiders import CrawlSpider, Rule
from twisted.python.failure import Failure


def base() -> str:
    return os.environ["OWN_SPIDER_BASE"]


@dataclass
class Story:
    number: int
    title: str
    listed: str


class Stories(Spider):
    """A list in pages, and the stories on it."""

    name = "stories"

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/list/0", meta={"list": "zero"}, headers={"X-Page": "list"})

    def parse(self, response: HtmlResponse) -> Iterator[Request]:
        assert type(response) is HtmlResponse
        for link in response.css("a.story::attr(href)").getall():
            number = int(link.rpartition("/")[2])
            yield response.follow(link, self.parse_story, cb_kwargs={"number": number}, meta={"list": response.meta["list"]})
        for link in response.css("a.next::attr(href)").getall():
            yield response.follow(link, meta=response.meta)

    async def parse_story(self, response: HtmlResponse, number: int) -> AsyncIterator[Story]:
        yield Story(number, response.css("h1::text").get(""), response.meta["list"])


class PostedStories(Stories):
    """The same list behind an API: each of its pages is a POST to one URL."""

    name = "posted_stories"

    async def start(self) -> AsyncIterator[Request]:
        yield JsonRequest(f"{base()}/list", data={"page": 0}, meta={"list": "zero"})

    def parse(self, response: HtmlResponse) -> Iterator[Request]:
        for request in super().parse(response):
            kind, _, number = request.url.removeprefix(f"{base()}/").partition("/")
            yield request if kind == "story" else JsonRequest(response.url, data={"page": int(number)}, meta=response.meta)


class StartUrls(Spider):
    """`start_urls`, and no `start` of its own."""

    name = "start_urls"

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.start_urls = [f"{base()}/a", f"{base()}/b"]

    def parse(self, response: Response) -> dict[str, str]:
        return {"path": response.url.removeprefix(base())}


class Clumsy(Spider):
    """Breaks on every second page; OWN_SPIDER_REPAIRED makes it whole."""

    name = "clumsy"
    custom_settings: ClassVar[dict[str, Any]] = {"ROBOTSTXT_OBEY": False, "DOWNLOAD_DELAY": 0, "MY_OWN": 7}

    async def start(self) -> AsyncIterator[Request]:
        assert self.settings.getint("MY_OWN") == 7
        for number in range(6):
            yield Request(f"{base()}/page/{number}")

    def parse(self, response: Response) -> Iterator[dict[str, int]]:
        number = int(response.url[-1])
        yield {"number": number}
        if number % 2 and "OWN_SPIDER_REPAIRED" not in os.environ:
            self.logger.warning("no price in %s", response.text)
            raise KeyError("price")


class Beyond(Spider):
    """Asks for what it may not have."""

    name = "beyond"

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/")
        yield Request("http://elsewhere.test/")

    def parse(self, response: Response) -> Iterator[Any]:
        yield Request(f"{base()}/private/")
        yield Request("http://elsewhere.test/page")
        yield Request(f"{base()}/", method="PUT", body="a=1")
        yield Request(f"{base()}/fine", meta={"lock": threading.Lock()})
        yield Request(f"{base()}/fine", callback=self.parse_fine)
        yield {"lock": threading.Lock()}

    async def parse_fine(self, response: Response) -> None:
        assert self.crawler.engine is not None
        await self.crawler.engine.download_async(Request(f"{base()}/past-the-frontier"))


class Domain(Spider):
    name = "domain"
    allowed_domains: ClassVar[list[str]] = ["example.org"]

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/")


class Turns(Spider):
    """Redirects, errors and a file that is no page."""

    name = "turns"

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/moved", self.parse_moved, errback=self.failed, cb_kwargs={"word": "kept"})
        yield Request(f"{base()}/missing", errback=self.failed)
        yield Request(f"{base()}/teapot", meta={"handle_httpstatus_list": [418]})
        yield Request(f"{base()}/data.json", self.parse_json)
        yield Request(f"{base()}/broken", errback=self.failed)

    def parse(self, response: Response) -> dict[str, Any]:
        return {"status": response.status}

    def parse_moved(self, response: HtmlResponse, word: str) -> dict[str, Any]:
        return {"moved": response.url.removeprefix(base()), "word": word, "text": response.css("p::text").get()}

    def parse_json(self, response: TextResponse) -> dict[str, Any]:
        return {"json": response.json(), "class": type(response).__name__}

    def failed(self, failure: Failure) -> Iterator[Request]:
        path = failure.request.url.removeprefix(base())  # type: ignore[attr-defined]
        yield Request(f"{base()}/told?of={path}&as={type(failure.value).__name__}")


class Rules(CrawlSpider):
    name = "rules"
    rules = (Rule(LinkExtractor(allow=r"/story/"), callback="parse_item"), Rule(LinkExtractor(allow=r"/list/")))

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/list/0")

    def parse_item(self, response: HtmlResponse) -> dict[str, Any]:
        return {"title": response.css("h1::text").get()}


class Enough(Spider):
    """Has enough after the first page."""

    name = "enough"

    async def start(self) -> AsyncIterator[Request]:
        for number in range(20):
            yield Request(f"{base()}/page/{number}")

    def parse(self, response: Response) -> None:
        raise CloseSpider("enough")


class BrokenStart(Spider):
    name = "broken_start"

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/page/1")
        raise LookupError("no list today")


class Search(Spider):
    """A list behind an API that is asked by POST, in JSON and by a form, and what a form leads to."""

    name = "search"

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/api")
        yield JsonRequest(f"{base()}/api", data={"page": 0}, meta={"page": 0})
        yield FormRequest(f"{base()}/form", formdata={"q": "ä b", "n": "1"}, callback=self.parse_form)

    def parse(self, response: TextResponse) -> Iterator[Any]:
        if response.request is None or response.request.method == "GET":
            yield {"got": response.text}
            return
        found = response.json()
        yield {"page": response.meta["page"], "sent": response.request.body.decode(), "stories": found["stories"]}
        yield JsonRequest(response.url, data={"page": 0}, meta={"page": 0})  # the same again
        if found["more"]:
            yield JsonRequest(response.url, data={"page": response.meta["page"] + 1}, meta={"page": response.meta["page"] + 1})

    def parse_form(self, response: Response) -> dict[str, str]:
        assert response.request is not None
        return {"method": response.request.method, "landed": response.url.removeprefix(base()), "body": response.request.body.decode()}


class Posts(Spider):
    """POSTs that are refused, put off and led on."""

    name = "posts"

    async def start(self) -> AsyncIterator[Request]:
        for path, body in {"/closed": "no", "/busy": "again", "/moved": "carried"}.items():
            yield Request(base() + path, method="POST", body=body)
        yield Request("http://elsewhere.test/", method="POST", body="away")

    def parse(self, response: Response) -> dict[str, str]:
        assert response.request is not None
        return {"sent": response.request.body.decode()}


class Blocking(Spider):
    """Pages, one of which holds up everything for ever."""

    name = "blocking"

    async def start(self) -> AsyncIterator[Request]:
        for path in ("page", "block", "other"):
            yield Request(f"{base()}/{path}")

    def parse(self, response: Response) -> None:
        if response.url.endswith("/block"):
            threading.Event().wait()
