"""Run the `ITEM_PIPELINES` of a user's spider on its items before they are stored."""

from __future__ import annotations

import asyncio
import traceback
from collections import Counter
from collections.abc import Callable

from itemadapter import ItemAdapter
from scrapy.crawler import Crawler
from scrapy.exceptions import CloseSpider, DropItem
from scrapy.pipelines import ItemPipelineManager

from schemas.errors import SpiderError
from schemas.printable import printable

MAX_PIPELINE_SECONDS = 60.0  # for one call of a pipeline; a fifth of what a callback may take with all its items
MAX_DROP_REASONS = 100  # counted by their text: reasons that name the item would be as many as the items
MAX_REASON_CHARACTERS = 100
OTHER_REASONS = "other reasons"


class ItemLostError(Exception):
    """A pipeline raised an error, which is counted: the item is not stored. The message is the last line of its traceback."""


class ItemPipelines:
    """The pipelines of a worker, in their order, each with its name. Raises SpiderError when one cannot be made.

    `dropped` counts dropped items by reason. `on_error` gets the name of what failed, the error, and the URL of the page.
    """

    def __init__(self, crawler: Crawler, dropped: Counter[str], on_error: Callable[[str, Exception, str], None]) -> None:
        self._dropped = dropped
        self._on_error = on_error
        self._opened = asyncio.Event()
        try:
            pipelines = ItemPipelineManager.from_crawler(crawler).middlewares
        except Exception as error:
            raise SpiderError(f"The item pipelines cannot be made: {type(error).__name__}: {error}.") from error
        # each under a manager of its own, which calls it as Scrapy does: so an error is known to be of this one
        self._managers = [(type(one).__name__, ItemPipelineManager(one, crawler=crawler)) for one in pipelines]

    async def open(self) -> None:
        """Call `open_spider` of each. Raises SpiderError if one fails: otherwise items would be stored without it."""
        for name, manager in self._managers:
            try:
                async with asyncio.timeout(MAX_PIPELINE_SECONDS):
                    await manager.open_spider_async()
            except Exception as error:
                raise SpiderError(f"open_spider of the item pipeline {name} failed: {type(error).__name__}: {error}.") from error
        self._opened.set()

    async def wait_until_open(self) -> None:
        """Return once items may come."""
        await self._opened.wait()

    async def process(self, item: object, url: str) -> object | None:
        """An item of a page as the pipelines leave it; None, and counted, if a pipeline drops it. Raises ItemLostError if one fails."""
        for name, manager in self._managers:
            try:
                async with asyncio.timeout(MAX_PIPELINE_SECONDS):
                    item = await manager.process_item_async(item)
                if not ItemAdapter.is_item(item):
                    raise TypeError(f"it returned {item!r:.100}, which is not an item. Return the item, or raise DropItem")
            except CloseSpider:
                raise
            except DropItem as drop:
                self._count_dropped(drop)
                return None
            except Exception as error:
                self._on_error(f"process_item of {name}", error, url)
                raise ItemLostError(f"process_item of {name}: {last_line(error)}") from error
        return item

    async def close(self) -> None:
        """Call `close_spider` of each that was opened, the last one first."""
        if not self._opened.is_set():
            return
        for name, manager in reversed(self._managers):
            try:
                async with asyncio.timeout(MAX_PIPELINE_SECONDS):
                    await manager.close_spider_async()
            except Exception as error:
                self._on_error(f"close_spider of {name}", error, "")

    def _count_dropped(self, drop: DropItem) -> None:
        text = printable(str(drop).partition("\n")[0], lines=False) if str(drop) else type(drop).__name__
        reason = text[:MAX_REASON_CHARACTERS]
        known = reason in self._dropped or len(self._dropped) < MAX_DROP_REASONS
        self._dropped[reason if known else OTHER_REASONS] += 1


def last_line(error: BaseException) -> str:
    """The last line of an error's traceback, with the place in the code where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f" ({frames[-1].filename.rpartition('/')[2]}, line {frames[-1].lineno})" if frames else ""
    return f"{traceback.format_exception_only(error)[-1].strip()}{place}"
