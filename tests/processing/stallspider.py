"""A spider that yields what the pages tell it, for the tests; OWN_SPIDER_BASE in the environment says where its site is."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, ClassVar

import scrapy
from scrapy.http import Response


class Picky:
    """An item pipeline that raises an error for some items."""

    def process_item(self, item: Any) -> Any:
        if "refuse" in item:
            raise ValueError("no such shelf")
        return item


class StallSpider(scrapy.Spider):
    """Yields the objects of a page's JSON as items. Some say what is to happen instead."""

    name = "stall"
    custom_settings: ClassVar = {"ITEM_PIPELINES": {"tests.processing.stallspider.Picky": 1}}

    @property
    def start_urls(self) -> list[str]:  # type: ignore[override]
        return [os.environ["OWN_SPIDER_BASE"] + path for path in os.environ["OWN_SPIDER_PATHS"].split()]

    def parse(self, response: Response, **kwargs: Any) -> Iterator[Any]:
        for one in json.loads(response.text):
            if "raise" in one:
                raise LookupError(one["raise"])
            if "odd" in one:
                one["odd"] = object()
            if "huge" in one:
                one["huge"] *= 9 * 1024 * 1024
            yield one
