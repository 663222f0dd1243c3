"""What all parts of a worker's session share. This module is below all of them, so that none of them needs to know another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.runs import CrawlRun
from spiders.messages.rules import ReadingRules
from spiders.permission.takedown_watch import TakedownWatch
from spiders.reading.crash_counts import CrashCounts
from spiders.reading.readers import ResponseReaders
from spiders.session.redirect_chain import RedirectChains
from spiders.spool.registrar import Registrar
from spiders.spool.statistics import WorkerStatistics
from spiders.urls.scope import CrawlScope
from spiders.urls.traps import TrapDetector
from storage.database.thread import DatabaseThread
from storage.frontier.frontier import Frontier


class Downloader(Protocol):
    """Downloads that do not wait in the queue of pages."""

    async def download(self, url: str, cookies: str = "") -> Capture:
        """Fetch a file about a whole origin, such as robots.txt, with the cookies of a chain of redirects. Raises FetchFailedError."""

    def cancel(self) -> None:
        """Break off every download, pages included."""


@dataclass(frozen=True, slots=True)
class FetchContext:
    """One worker in one run: what it works on, and what it works with. `attempt` counts the processes of this worker's name.

    The frontier's methods are called through `database.run`.
    """

    run: CrawlRun
    worker: str
    attempt: int
    frontier: Frontier
    database: DatabaseThread
    registrar: Registrar
    readers: ResponseReaders
    statistics: WorkerStatistics
    scope: CrawlScope
    rules: ReadingRules
    traps: TrapDetector
    crash_counts: CrashCounts
    takedowns: TakedownWatch
    downloader: Downloader
    chains: RedirectChains = field(default_factory=RedirectChains)

    @property
    def crawl(self) -> Crawl:
        """The crawl's configuration, as the run has it."""
        return self.run.crawl
