"""An example of a spider: it reads two sections of the demo's first site, and makes an item with authors and length of each story."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from scrapy import Request, Spider
from scrapy.http import HtmlResponse


class CourierSpider(Spider):
    """Follows the pages of the sections and their stories. The stories become articles as in any crawl; the items are additional."""

    name = "courier"
    site = "http://127.0.0.1:8801"

    async def start(self) -> AsyncIterator[Request]:
        """The sections' first pages."""
        for section in ("city", "culture"):
            yield Request(f"{self.site}/{section}/", cb_kwargs={"section": section})

    def parse(self, response: HtmlResponse, section: str = "") -> Iterator[Request]:
        """A page of a section: its stories, and the next page."""
        stories = response.css(f'a[href^="/{section}/20"]::attr(href)').getall()
        for place, link in enumerate(dict.fromkeys(stories), start=1):
            yield response.follow(link, self.parse_story, cb_kwargs={"section": section}, meta={"place": place})
        for link in response.css('a[rel="next"]::attr(href)').getall():
            yield response.follow(link, self.parse, cb_kwargs={"section": section})

    def parse_story(self, response: HtmlResponse, section: str) -> Iterator[dict[str, Any]]:
        """A story: an item."""
        paragraphs = response.css("article p::text").getall()
        yield {
            "title": response.css("h1::text").get(),
            "section": section,
            "place": response.meta["place"],
            "authors": response.css('a[rel="author"]::text').getall(),
            "words": sum(len(paragraph.split()) for paragraph in paragraphs),
        }
