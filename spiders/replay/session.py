"""What the callbacks of a spider find in a replay in place of a fetch session: nothing is requested, and items are kept by their page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from schemas.capture import Capture
from schemas.config.crawl import Crawl
from spiders.reading.readers import ResponseReaders
from spiders.session.url_in_progress import UrlInProgress
from spiders.session.yielded import NOTHING, Yielded
from spiders.spool.items import ItemBuffer
from spiders.spool.statistics import WorkerStatistics
from spiders.urls.scope import CrawlScope
from storage.frontier.records import Discovery


@dataclass(frozen=True, slots=True)
class NoFrontier:
    """Drops what is found. `folder` takes the items of pages that have many."""

    folder: Path

    def item_buffer(self) -> ItemBuffer:
        """A buffer for the items of one page."""
        return ItemBuffer(self.folder)

    def add_discoveries(self, discoveries: Sequence[Discovery]) -> None:
        """Drop URLs."""

    def has_many_found(self) -> bool:
        """Never."""
        return False

    async def flush(self) -> None:
        """Nothing waits."""


@dataclass(frozen=True, slots=True)
class ReplayContext:
    """What the parts of a replay share; the names are those of a fetch context."""

    crawl: Crawl
    registrar: NoFrontier
    readers: ResponseReaders
    statistics: WorkerStatistics
    scope: CrawlScope


@dataclass(slots=True)
class ReplaySession:
    """Takes what callbacks made of a response. `yielded` is that of the last one."""

    context: ReplayContext
    yielded: Yielded = field(default_factory=lambda: NOTHING)

    def will_retry(self, fetch: UrlInProgress, capture: Capture) -> bool:
        """Never: responses after which the crawl asked again are left out."""
        del fetch, capture
        return False

    def will_retry_failed(self, fetch: UrlInProgress, error: BaseException) -> bool:
        """Never: there are no failures."""
        del fetch, error
        return False

    def receive(self, fetch: UrlInProgress, capture: Capture, yielded: Yielded = NOTHING, rendered: Capture | None = None) -> None:
        """Keep what a callback yielded."""
        del fetch, capture, rendered
        self.yielded = yielded

    def receive_failure(self, fetch: UrlInProgress, error: BaseException, yielded: Yielded = NOTHING) -> None:
        """There are no failures."""

    def end_run(self, reason: str) -> None:
        """Go on: the spider ended its run at this page then, or would end it today; the pages after it are stored."""
