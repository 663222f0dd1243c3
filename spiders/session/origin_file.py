"""Fetch a file about a whole origin (robots.txt, tdmrep.json), past the queue of pages. Every response is archived.

`robots_fetch` reads robots.txt with it; tdmrep.json is read here, from the cache of a day or from the site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas.capture import Capture
from spiders.discover.response import REDIRECTS, redirect_location
from spiders.download.failure import FetchFailedError
from spiders.permission.opt_outs import TDM_FILE, TdmRules, read_tdm_file
from spiders.permission.robots import MAX_ROBOTS_BYTES, robots_from_response, robots_from_text
from spiders.reading.reader import ReadFailure
from spiders.session.context import FetchContext
from spiders.session.redirect_chain import NO_CHAIN
from spiders.urls.canonical import resolve_link
from storage.frontier.records import Lease
from storage.frontier.robots_cache import CachedRobots

MAX_REDIRECTS = 5
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OriginRules(Generic[T]):
    """The rules of an origin, whether the site was asked for them, and its responses: they may say that the host is busy."""

    rules: T
    was_asked: bool
    responses: tuple[Capture, ...] = ()


@dataclass(frozen=True, slots=True)
class OriginFile:
    """The responses to a request for a file, redirects first. `failure`: why the last request got none."""

    responses: tuple[Capture, ...]
    failure: FetchFailedError | None = None


async def fetch_origin_file(context: FetchContext, lease: Lease, url: str) -> OriginFile:
    """Follow at most five redirects with their cookies, and archive each response. A sixth redirect means that there is no file."""
    responses: list[Capture] = []
    chain = NO_CHAIN
    for _ in range(MAX_REDIRECTS + 1):
        try:
            capture = await context.downloader.download(url, chain.header(url))
        except FetchFailedError as failure:
            return OriginFile(tuple(responses), failure)
        responses.append(capture)
        context.statistics.robots += 1
        context.registrar.add_result(lease, None, context.registrar.archive(capture, lease))
        target = resolve_link(url, redirect_location(capture), strip_parameters=False) if capture.status in REDIRECTS else None
        if target is None:
            break
        url, chain = target, chain.after(capture)
    return OriginFile(tuple(responses))


async def file_to_cache(context: FetchContext, url: str, capture: Capture | None) -> CachedRobots:
    """What to remember of a response; without one, or if it cannot be decoded in time, the file counts as unreachable."""
    if capture is None:
        return robots_from_response(url, None, b"", None)
    if not 200 <= capture.status < 300:
        return robots_from_text(url, capture.status, b"")
    text = await context.readers.decoded(capture, MAX_ROBOTS_BYTES + 1)
    return robots_from_response(url, None, b"", None) if isinstance(text, ReadFailure) else robots_from_text(url, capture.status, text)


async def read_tdm_rules(context: FetchContext, lease: Lease, origin: str) -> OriginRules[TdmRules]:
    """The rules of an origin. A file that cannot be had reserves nothing."""
    url = origin + TDM_FILE
    cached = await context.database.run(context.frontier.robots, url)
    if cached is not None:
        return OriginRules(read_tdm_file(cached.body), was_asked=False)
    file = await fetch_origin_file(context, lease, url)
    cached = await file_to_cache(context, url, None if file.failure else file.responses[-1])
    await context.database.run(context.frontier.cache_robots, cached)
    return OriginRules(read_tdm_file(cached.body), was_asked=True, responses=file.responses)
