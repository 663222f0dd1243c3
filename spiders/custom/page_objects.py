"""web-poet page objects in callbacks: built from the response by scrapy-poet, as its middleware does under Scrapy.

Both packages are optional (the extra `poet`). They are loaded only if the user's spider has imported web-poet.
"""

from __future__ import annotations

import sys
from typing import Any

import scrapy
from scrapy.crawler import Crawler
from scrapy.http import Response
from scrapy.utils.defer import ensure_awaitable

from schemas.errors import SpiderError


class PageObjects:
    """Builds what callbacks ask for by annotation. Raises SpiderError if scrapy-poet is missing or cannot be set up."""

    def __init__(self, crawler: Crawler) -> None:
        try:
            from scrapy_poet.downloadermiddlewares import InjectionMiddleware
        except ImportError as error:
            raise SpiderError(f"The spider uses web-poet, but scrapy-poet is missing: {error}. Install crawlhouse[poet].") from error
        try:
            self._injector = InjectionMiddleware.from_crawler(crawler).injector
        except Exception as error:
            raise SpiderError(f"scrapy-poet cannot be set up: {type(error).__name__}: {error}.") from error

    async def arguments(self, request: scrapy.Request, response: Response) -> dict[str, Any]:  # Any: objects of users' classes
        """The keyword arguments of a request's callback: `cb_kwargs`, and the objects that are built for it."""
        built = await self._injector.build_callback_dependencies(request, response)
        return request.cb_kwargs | {name: value for name, value in built.items() if value is not None or name not in request.cb_kwargs}


def uses_page_objects() -> bool:
    """Whether the user's modules have imported web-poet."""
    return "web_poet" in sys.modules


def use_zyte_items() -> None:
    """Let itemadapter read items of zyte-common-items, as the add-on of that package does, if the user's modules have imported it."""
    if "zyte_common_items" in sys.modules:
        from scrapy.settings import Settings
        from zyte_common_items import Addon

        Addon().update_settings(Settings())


async def item_of(result: object) -> object:
    """The item of a page object that a callback yielded; anything else as it is."""
    web_poet = sys.modules.get("web_poet")
    if web_poet is not None and isinstance(result, web_poet.ItemPage):
        return await ensure_awaitable(result.to_item())
    return result
