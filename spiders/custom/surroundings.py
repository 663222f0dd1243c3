"""What a user's spider is called in: a worker's fetch session, or a replay of stored responses (`spiders.replay`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from schemas.capture import Capture
from schemas.config.crawl import Crawl
from spiders.reading.readers import ResponseReaders
from spiders.session.url_in_progress import UrlInProgress
from spiders.session.yielded import Yielded
from spiders.spool.items import ItemBuffer
from spiders.spool.statistics import WorkerStatistics
from spiders.urls.scope import CrawlScope
from storage.frontier.records import Discovery


class Found(Protocol):
    """Takes what callbacks find."""

    def item_buffer(self) -> ItemBuffer:
        """A buffer for the items of one page."""
        ...

    def add_discoveries(self, discoveries: Sequence[Discovery]) -> None:
        """Take requests as discoveries."""
        ...

    def has_many_found(self) -> bool:
        """Whether too many wait for the frontier."""
        ...

    async def flush(self) -> None:
        """Store what waits."""
        ...


class Surroundings(Protocol):
    """What callbacks work with, in a worker or in a replay of stored responses."""

    @property
    def crawl(self) -> Crawl:
        """The crawl's configuration."""
        ...

    @property
    def registrar(self) -> Found:
        """Takes what is found."""
        ...

    @property
    def readers(self) -> ResponseReaders:
        """Decode bodies in processes with limits."""
        ...

    @property
    def statistics(self) -> WorkerStatistics:
        """The counts of the worker."""
        ...

    @property
    def scope(self) -> CrawlScope:
        """Which URLs may be fetched."""
        ...


class Session(Protocol):
    """The session that callbacks belong to: `spiders.session.session`, or a replay."""

    @property
    def context(self) -> Surroundings:
        """What all parts share."""
        ...

    def will_retry(self, fetch: UrlInProgress, capture: Capture) -> bool:
        """Whether a URL is requested again after this response."""
        ...

    def will_retry_failed(self, fetch: UrlInProgress, error: BaseException) -> bool:
        """Whether a URL is requested again whose exchange gave no response."""
        ...

    def receive(self, fetch: UrlInProgress, capture: Capture, yielded: Yielded = ..., rendered: Capture | None = ...) -> None:
        """Record a response with what its callback yielded."""
        ...

    def receive_failure(self, fetch: UrlInProgress, error: BaseException, yielded: Yielded = ...) -> None:
        """Record an exchange without a response."""
        ...

    def end_run(self, reason: str) -> None:
        """End the whole run."""
        ...
