"""Spiders that yield items of every kind, for the tests; OWN_SPIDER_BASE in the environment says where their site is."""

from __future__ import annotations

import datetime as dt
import enum
import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Optional
from uuid import UUID

import attrs
import pydantic
import scrapy
from scrapy import Request, Spider
from scrapy.http import HtmlResponse, Response
from scrapy_poet import DummyResponse, callback_for
from web_poet import ItemPage, WebPage, handle_urls
from web_poet import field as page_field
from zyte_common_items import Brand, Product, ProductPage

from tests.spiders.ownspiders import base

SEEN_AT = dt.datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=dt.timezone(dt.timedelta(hours=2)))


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Offer:
    price: Decimal
    valid_until: dt.date | None = None


@dataclass
class Goods:
    """Every type that a dataset may have."""

    name: str
    price: Decimal
    offers: list[Offer]
    seen_at: dt.datetime
    opens: dt.time
    lasts: dt.timedelta
    tags: set[str]
    size: tuple[int, ...]
    weight: float
    in_stock: bool
    stock: Optional[int] = None  # noqa: UP045 the older way to say it
    colour: Colour = Colour.RED
    number: UUID = field(default_factory=lambda: UUID(int=1))
    state: Literal["new", "used"] = "new"
    amount: int | float = 1
    either: int | str = 1
    extra: dict[str, Any] = field(default_factory=dict)
    best: Offer | None = None


class Plain(scrapy.Item):  # type: ignore[misc]
    name = scrapy.Field()
    offer = scrapy.Field()


@attrs.define
class Offered:
    name: str
    offers: list[Offer] = attrs.field(factory=list)


class Model(pydantic.BaseModel):
    name: str
    price: Decimal = Decimal("0.10")
    at: dt.datetime | None = None


GOODS = Goods(
    name="Kettle, \u201cblue\u201d\n",
    price=Decimal("1299.00"),
    offers=[Offer(Decimal("1E+3"), dt.date(2026, 3, 1)), Offer(Decimal("0.10"))],
    seen_at=SEEN_AT,
    opens=dt.time(9, 30),
    lasts=dt.timedelta(minutes=90),
    tags={"kitchen"},
    size=(10, 20),
    weight=float("nan"),
    in_stock=True,
    extra={"deep": [{"at": SEEN_AT.astimezone(dt.UTC)}], "bytes": b"ab"},
    best=Offer(Decimal("0.10")),
)


class Kinds(Spider):
    """An item of every kind from one page."""

    name = "kinds"

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/kinds")
        yield Request(f"{base()}/dicts", self.parse_dicts)

    def parse(self, response: Response) -> Iterator[Any]:
        yield {"type": "Named", "n": 1}
        yield GOODS
        yield Plain(name="plain", offer=Offer(Decimal("2.50")))
        yield Offered("attrs", [Offer(Decimal("3.00"))])
        yield Model(name="model", at=SEEN_AT)
        yield Product(url="https://x.test/p", name="zyte", price="10.00", brand=Brand(name="ACME"), sku=None)

    def parse_dicts(self, response: Response) -> Iterator[Any]:
        yield {"n": 1}
        yield {"bad": b"\xff"}
        yield "no item"
        yield {"n": 2}
        yield {"huge": "x" * (9 * 1024 * 1024)}


@attrs.define
class Book:
    title: str
    price: Decimal


@handle_urls("")
class BookPage(WebPage[Book]):
    """A page object whose fields make an item."""

    @page_field
    def title(self) -> str:
        return self.css("h1::text").get("")

    @page_field
    async def price(self) -> Decimal:
        return Decimal(self.css(".price::text").get("0"))


class ShopPage(ProductPage):
    """A page object of zyte-common-items, which gives the URL and the metadata itself."""

    @page_field
    def name(self) -> str | None:
        return self.css("h1::text").get()

    @page_field
    def price(self) -> str | None:
        return self.css(".price::text").get()


class BrokenPage(WebPage[Book]):
    @page_field
    def title(self) -> str:
        raise LookupError("no title")


class PageObjectSpider(Spider):
    """Callbacks that get page objects, and yield them or their items."""

    name = "page_objects"

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/book/1", self.parse_book, cb_kwargs={"shelf": "a"})
        yield Request(f"{base()}/book/2", self.parse_callback_for)
        yield Request(f"{base()}/book/3", self.parse_page)
        yield Request(f"{base()}/book/4", self.parse_product)
        yield Request(f"{base()}/book/5", self.parse_broken)
        yield Request(f"{base()}/book/6")

    async def parse_book(self, response: DummyResponse, page: BookPage, shelf: str) -> AsyncIterator[Any]:
        yield await page.to_item()
        yield {"shelf": shelf, "class": type(response).__name__}

    parse_callback_for = callback_for(BookPage)

    def parse_page(self, response: HtmlResponse, page: BookPage) -> Iterator[ItemPage[Book]]:
        yield page

    async def parse_product(self, response: DummyResponse, page: ShopPage) -> Product:
        return await page.to_item()

    def parse_broken(self, response: HtmlResponse, page: BrokenPage) -> Iterator[Any]:
        yield {"before": 1}
        yield page

    def parse(self, response: HtmlResponse, book: Book) -> Book:
        return book


class Many(Spider):
    """As many items from one page as the page says; at its end it writes the most memory that its process had."""

    name = "many"

    async def start(self) -> AsyncIterator[Request]:
        yield Request(f"{base()}/many")

    def parse(self, response: Response) -> Iterator[dict[str, Any]]:
        for number in range(int(response.text)):
            yield {"number": number, "text": f"{number} " * 200}

    def closed(self, reason: str) -> None:
        status = Path("/proc/self/status").read_text(encoding="ascii")
        kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
        Path(os.environ["OWN_SPIDER_MEMORY"]).write_text(kilobytes, encoding="ascii")
