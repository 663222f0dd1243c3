"""Scrapy's settings for a worker. Politeness, robots, retries, redirects and queues are not Scrapy's; it moves requests and responses."""

from __future__ import annotations

from collections import deque
from typing import Any

from scrapy import Request
from scrapy.core.scheduler import BaseScheduler

from schemas.config.crawl import Crawl
from spiders.download.body_memory_limit import BodyMemory
from spiders.download.credentials import Login
from spiders.loop_meter import loop_class

NO_LIMIT = 1_000_000


class PlainQueue(BaseScheduler):
    """First in, first out. A request is here only when its turn has come; the frontier keeps all others."""

    def __init__(self) -> None:
        self._queue: deque[Request] = deque()

    def has_pending_requests(self) -> bool:
        """Whether a request waits."""
        return bool(self._queue)

    def enqueue_request(self, request: Request) -> bool:
        """Append a request."""
        self._queue.append(request)
        return True

    def next_request(self) -> Request | None:
        """The oldest request."""
        return self._queue.popleft() if self._queue else None


def scrapy_settings(crawl: Crawl, body_memory: BodyMemory, proxy_login: Login | None = None) -> dict[str, Any]:  # Any: of every type
    """The settings of one worker process."""
    handler = "spiders.download.handler.ArchivalDownloadHandler"
    return {
        "CRAWLHOUSE_CRAWL": crawl,
        "CRAWLHOUSE_PROXY_LOGIN": proxy_login,
        "CRAWLHOUSE_BODY_MEMORY": body_memory,
        "BOT_NAME": "crawlhouse",
        "SCHEDULER": PlainQueue,
        "DOWNLOAD_HANDLERS": {"http": handler, "https": handler, "ftp": None, "s3": None, "file": None, "data": None},
        "DOWNLOADER_MIDDLEWARES_BASE": {},  # robots, retries, redirects, cookies, caching and decompression are done by the session
        "SPIDER_MIDDLEWARES_BASE": {},
        "EXTENSIONS_BASE": {},
        "CONCURRENT_REQUESTS": NO_LIMIT,
        "CONCURRENT_REQUESTS_PER_DOMAIN": NO_LIMIT,
        "CONCURRENT_ITEMS": 4,
        "DOWNLOAD_DELAY": 0,
        "DOWNLOAD_TIMEOUT": crawl.politeness.timeout,
        "DOWNLOAD_MAXSIZE": crawl.budgets.max_body_bytes,
        "DOWNLOAD_VERIFY_CERTIFICATES": crawl.network.verify_tls,
        "ROBOTSTXT_OBEY": False,
        "RETRY_ENABLED": False,
        "REDIRECT_ENABLED": False,
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "LOG_LEVEL": "WARNING",
        "LOG_INSTALL_ROOT_HANDLER": False,
        "LOG_VERSIONS": [],
        "WARN_ON_GENERATOR_RETURN_VALUE": False,
        "ASYNCIO_EVENT_LOOP": loop_class(),
    }
