"""Fetching a file about a whole origin (robots.txt, tdmrep.json), past the queue of pages. Every response is archived."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from schemas.capture import Capture
from spiders.discover.response import REDIRECTS, redirect_location
from spiders.download.failure import FetchFailedError
from spiders.permission.robots import MAX_ROBOTS_BYTES, robots_from_response, robots_from_text
from spiders.reading.reader import ReadFailure
from spiders.session.context import FetchContext
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
    """Follow at most five redirects, and archive each response. A sixth redirect means that there is no file."""
    responses: list[Capture] = []
    for _ in range(MAX_REDIRECTS + 1):
        try:
            capture = await context.downloader.download(url)
        except FetchFailedError as failure:
            return OriginFile(tuple(responses), failure)
        responses.append(capture)
        context.statistics.robots += 1
        context.registrar.add_result(lease, None, context.registrar.archive(capture, lease))
        target = resolve_link(url, redirect_location(capture)) if capture.status in REDIRECTS else None
        if target is None:
            break
        url = target
    return OriginFile(tuple(responses))


async def file_to_cache(context: FetchContext, url: str, capture: Capture | None) -> CachedRobots:
    """What to remember of a response; without one, or if it cannot be decoded in time, the file counts as unreachable."""
    if capture is None:
        return robots_from_response(url, None, b"", None)
    if not 200 <= capture.status < 300:
        return robots_from_text(url, capture.status, b"")
    text = await context.readers.decoded(capture, MAX_ROBOTS_BYTES + 1)
    return robots_from_response(url, None, b"", None) if isinstance(text, ReadFailure) else robots_from_text(url, capture.status, text)
