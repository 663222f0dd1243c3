"""Crawls by spiders of users in the tests: a site for them, how they are run, and what they leave."""

from __future__ import annotations

import gzip
import json
from typing import Any

import scrapy

from schemas.config.settings import Settings
from schemas.keys import items_key
from schemas.manifest import Manifest
from storage.objects.open import open_store
from tests.spiders.crawling import Crawled, crawl_urls, own_scope
from tests.spiders.smallserver import Headers, SmallServer

STORIES = 30
PER_PAGE = 10


def items_of(manifest: Manifest, settings: Settings) -> list[dict[str, Any]]:
    """The items of a closed run, each with its page's path."""
    if not manifest.statistics.items:
        return []
    text = gzip.decompress(open_store(settings).get_bytes(items_key(manifest.crawl, manifest.crawl_run))).decode()
    found = [json.loads(line) for line in text.splitlines()]
    assert len(found) == manifest.statistics.items
    return found


def archive(settings: Settings) -> bytes:
    """All WARC segments, unpacked."""
    return b"".join(gzip.decompress(path.read_bytes()) for path in sorted((settings.home / "store" / "warc").rglob("*.warc.gz")))


def newsstand(path: str, times: int) -> tuple[int, Headers, bytes]:
    """A list in pages, and the stories on it."""
    kind, _, number = path.strip("/").partition("/")
    if kind == "list":
        first = int(number) * PER_PAGE
        links = "".join(f'<a class="story" href="/story/{one}">{one}</a>' for one in range(first, first + PER_PAGE))
        following = f'<a class="next" href="/list/{int(number) + 1}">more</a>' if first + PER_PAGE < STORIES else ""
        return 200, {}, (links + following).encode()
    if kind == "story":
        return 200, {"ETag": '"one"'}, f"<h1>Story {number}</h1>".encode()
    return 404, {}, b""


def run(name: str, server: SmallServer, settings: Settings, extra: str = "", scope: str = "") -> Crawled:
    """Crawls a server by a class of `ownspiders`, with further YAML."""
    return crawl_urls(settings, [], f"spider: tests.spiders.ownspiders:{name}\n{own_scope(server.base, scope)}\n{extra}")


class Plain(scrapy.Spider):
    """A spider that does nothing."""

    name = "plain"

    def parse(self, response: scrapy.http.Response) -> None: ...

    def other(self, response: scrapy.http.Response) -> None: ...
