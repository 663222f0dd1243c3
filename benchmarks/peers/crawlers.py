"""The peers of the crawl benchmark, each in its own process: `python -m benchmarks.peers.crawlers NAME ORIGIN PAGES`.

They only fetch and follow links (or fetch a list). They have no archive, no index, no frontier outside memory, and no robots.txt.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

CONCURRENCY = 16


def scrapy_follow(origin: str, pages: int) -> int:
    import scrapy
    from scrapy.crawler import CrawlerProcess
    from scrapy.linkextractors import LinkExtractor

    class Follow(scrapy.Spider):
        name = "follow"
        start_urls = (f"{origin}/p/0.html",)
        links = LinkExtractor()
        seen = 0

        def parse(self, response: Any) -> Any:
            type(self).seen += 1
            yield from (response.follow(link) for link in self.links.extract_links(response))

    _run_scrapy(CrawlerProcess, Follow)
    return Follow.seen


def scrapy_list(origin: str, pages: int) -> int:
    import scrapy
    from scrapy.crawler import CrawlerProcess

    class List(scrapy.Spider):
        name = "list"
        start_urls = tuple(f"{origin}/p/{number}.html" for number in range(pages))
        seen = 0

        def parse(self, response: Any) -> None:
            type(self).seen += 1

    _run_scrapy(CrawlerProcess, List)
    return List.seen


def _run_scrapy(process: Any, spider: Any) -> None:
    settings = {
        "CONCURRENT_REQUESTS": CONCURRENCY,
        "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENCY,
        "DOWNLOAD_DELAY": 0,
        "LOG_LEVEL": "ERROR",
    }
    runner = process(settings)
    runner.crawl(spider)
    runner.start()


def aiohttp_list(origin: str, pages: int) -> int:
    import aiohttp

    async def run() -> int:
        done = 0
        numbers = iter(range(pages))
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONCURRENCY)) as session:

            async def worker() -> None:
                nonlocal done
                for number in numbers:
                    async with session.get(f"{origin}/p/{number}.html") as answer:
                        await answer.read()
                        done += 1

            await asyncio.gather(*(worker() for _ in range(CONCURRENCY)))
        return done

    return asyncio.run(run())


def crawlee_follow(origin: str, pages: int) -> int:
    from crawlee import ConcurrencySettings
    from crawlee.configuration import Configuration
    from crawlee.crawlers import ParselCrawler, ParselCrawlingContext
    from crawlee.storage_clients import MemoryStorageClient

    logging.disable(logging.WARNING)
    seen = 0

    async def run() -> None:
        crawler = ParselCrawler(
            concurrency_settings=ConcurrencySettings(max_concurrency=CONCURRENCY, desired_concurrency=CONCURRENCY),
            configuration=Configuration(log_level="ERROR"),
            storage_client=MemoryStorageClient(),
            max_requests_per_crawl=None,
        )

        @crawler.router.default_handler
        async def handle(context: ParselCrawlingContext) -> None:
            nonlocal seen
            seen += 1
            await context.enqueue_links()

        await crawler.run([f"{origin}/p/0.html"])

    asyncio.run(run())
    return seen


PEERS = {peer.__name__: peer for peer in (scrapy_follow, scrapy_list, aiohttp_list, crawlee_follow)}

if __name__ == "__main__":
    name, origin, pages = sys.argv[1:]
    print(json.dumps({"pages": PEERS[name](origin, int(pages))}))
