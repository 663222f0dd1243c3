"""A spider of a small shop, for the tests; OWN_SPIDER_BASE in the environment says where the shop is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import scrapy
from scrapy.http import Response


@dataclass
class Offer:
    sku: str
    name: str
    price: Decimal
    in_stock: bool = True


class ShopSpider(scrapy.Spider):
    """Yields an offer of each product's page, and a mention of a page that the shop links to."""

    name = "shop"

    @property
    def start_urls(self) -> list[str]:  # type: ignore[override]
        return [os.environ["OWN_SPIDER_BASE"] + "/"]

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Any]:
        yield from response.follow_all(css="a", callback=self.parse_product)

    def parse_product(self, response: Response) -> Iterator[Any]:
        price = response.css(".price::text").get("").removesuffix(" €").replace(",", ".")
        yield Offer(response.css(".sku::text").get(""), response.css("h1::text").get(""), Decimal(price))
        yield {"type": "Mention", "sku": response.css(".sku::text").get(""), "page": response.url}
