"""A fetch worker: `python -m spiders.worker --run RUN --worker NAME --statistics FILE`, one process, one reactor, one run.

It always writes its statistics; they contain the class name of an error.
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from functools import partial
from pathlib import Path

from scrapy.crawler import AsyncCrawlerProcess

from runtime.child_process import own_peak_memory
from schemas.config.settings import Settings, load_settings, make_home
from schemas.credentials.redaction import redacted
from schemas.errors import CrawlhouseError, FencedError
from schemas.numbers import plural
from schemas.runs import CrawlRun
from spiders.browser.browser import check_browser
from spiders.closing.left_spools import sweep_spools
from spiders.custom.loader import find_spider
from spiders.download.body_memory_limit import BodyMemory
from spiders.download.credentials import read_credentials
from spiders.download.direct import DirectDownloader
from spiders.download.user_agent import user_agent
from spiders.heartbeat import Heartbeat
from spiders.messages.rules import reading_rules
from spiders.permission.takedown_watch import TakedownWatch
from spiders.reading.crash_counts import JOURNAL_NAME, CrashCounts
from spiders.reading.journal import ReadingJournal
from spiders.reading.readers import ResponseReaders
from spiders.schedule.next_visit import hints_after
from spiders.scrapy_settings import scrapy_settings
from spiders.scrapy_spider import SiteSpider
from spiders.session.context import FetchContext
from spiders.session.session import FetchSession
from spiders.spool.registrar import Registrar
from spiders.spool.repair import repair_spool
from spiders.spool.spool import Spool, clear_spool, remove_empty, spool_folder
from spiders.spool.statistics import WorkerStatistics, store_statistics
from spiders.urls.scope import CrawlScope
from spiders.urls.traps import TrapDetector
from storage.database.clock import check_clock
from storage.database.thread import DatabaseThread
from storage.frontier.frontier import Frontier, open_frontier
from storage.lake.takedown import read_takedowns
from storage.ledger.ledger import open_ledger
from storage.ledger.quota import Quota
from storage.objects.open import open_store
from storage.outages import patience

LOG = logging.getLogger(__name__)
# An exchange leaves hardly any garbage. With Python's own thresholds, looking for it costs some 2 % of the CPU.
GC_THRESHOLDS = (20_000, 20, 50)


def main(arguments: list[str] | None = None) -> int:
    """Run one worker to its end. The exit code is the error's, or 0."""
    parser = argparse.ArgumentParser(prog="python -m spiders.worker", description="Fetch for one crawl run.")
    parser.add_argument("--run", required=True)
    parser.add_argument("--worker", required=True)
    parser.add_argument("--statistics", required=True, type=Path)
    parser.add_argument("--heartbeat", type=int, help="the descriptor of a pipe on which the parent listens")
    given = parser.parse_args(arguments)
    statistics = WorkerStatistics(crawl_run=given.run, worker=given.worker)
    code = 0
    try:
        settings = load_settings()
        with patience(settings):
            work(given.run, given.worker, settings, statistics, Heartbeat(given.heartbeat))
    except CrawlhouseError as error:
        statistics.error, statistics.message = type(error).__name__, redacted(str(error))
        code = error.exit_code
    statistics.max_memory_bytes = own_peak_memory()
    statistics.write(given.statistics)
    return code


def work(crawl_run: str, worker: str, settings: Settings, statistics: WorkerStatistics, heartbeat: Heartbeat) -> None:
    """Join the run, repair the spool of the previous attempt, and fetch until there is nothing more. Raises CrawlhouseErrors.

    Nothing registers on a run that is closed, or that was closed while this worker was stopped: what is not registered then is dropped.
    """
    _collect_garbage_less_often()
    check_clock(settings)
    make_home(settings)  # its spool is for this user alone
    ledger = open_ledger(settings)
    run = ledger.crawl_run(crawl_run)
    sweep_spools(settings, ledger)
    check_browser(run.crawl)
    frontier, database = open_frontier(settings), DatabaseThread()
    try:
        _fetch(run, worker, settings, statistics, heartbeat, frontier, database)
    except FencedError:
        if not frontier.is_closed(crawl_run):
            raise
        _leave_closed(crawl_run, spool_folder(settings, crawl_run, worker), statistics)
    finally:
        database.close()
        frontier.close()
    if not statistics.finish_reason:
        raise CrawlhouseError("The worker ended before its session did; its log says why. Run the fetch step again.")


def _fetch(
    run: CrawlRun,
    worker: str,
    settings: Settings,
    statistics: WorkerStatistics,
    heartbeat: Heartbeat,
    frontier: Frontier,
    database: DatabaseThread,
) -> None:
    """Put a session together, from the bottom up, and run Scrapy with it. Raises the error that ended the session."""
    crawl, store, folder = run.crawl, open_store(settings), spool_folder(settings, run.crawl_run, worker)
    credentials = read_credentials(crawl, os.environ)
    own = find_spider(crawl, settings) if crawl.has_own_spider() else None
    attempt, held = frontier.join(run.crawl_run, worker)
    statistics.attempt = attempt
    repair_spool(folder, run, worker, held, frontier, store)
    frontier.release_pages(run.crawl_run, worker, attempt)  # what the previous attempt reserved and did not fetch
    spool = Spool(folder, run, worker, attempt, user_agent(crawl), credentials.names)
    takedowns = TakedownWatch(partial(read_takedowns, store))
    registrar = Registrar(run, frontier, store, spool, statistics, database, hints_after(crawl.revisit), takedowns.covers)
    crash_counts = CrashCounts(settings, crawl.name)  # reads the journal that the previous attempt left, which the next line removes
    journal, body_memory, scope = ReadingJournal(folder / JOURNAL_NAME), BodyMemory(), CrawlScope(crawl)
    for host in frontier.seed_hosts(crawl.name):
        scope.add_host(host)
    rules = reading_rules(crawl, scope)
    process = AsyncCrawlerProcess(scrapy_settings(crawl, body_memory, credentials.proxy))
    crawler = process.create_crawler(SiteSpider)
    downloader = DirectDownloader(crawler, crawl, credentials)
    context = FetchContext(
        run,
        worker,
        attempt,
        frontier=frontier,
        database=database,
        registrar=registrar,
        readers=ResponseReaders(rules, journal, body_memory, has_to_wait=registrar.has_many_found),
        statistics=statistics,
        scope=scope,
        rules=rules,
        traps=TrapDetector(crawl.budgets.max_pages_per_host),
        crash_counts=crash_counts,
        takedowns=takedowns,
        downloader=downloader,
    )
    session = FetchSession(context, Quota(settings).is_reached)
    spider = {"session": session, "held": held, "downloader": downloader, "credentials": credentials, "own": own, "heartbeat": heartbeat}
    logging.getLogger("scrapy").setLevel(logging.WARNING)
    process.crawl(crawler, **spider)
    process.start(install_signal_handlers=False)
    heartbeat.end()
    journal.close()
    statistics.max_memory_bytes = own_peak_memory()
    store_statistics(statistics, crawl.name, store)
    remove_empty(folder)
    if session.error is not None:
        raise session.error


def _collect_garbage_less_often() -> None:
    gc.collect()
    gc.freeze()  # garbage of the imports is collected; their objects are not looked at again
    gc.set_threshold(*GC_THRESHOLDS)


def _leave_closed(crawl_run: str, folder: Path, statistics: WorkerStatistics) -> None:
    """End the work for a run that others have closed."""
    dropped = clear_spool(folder)
    if dropped:
        LOG.warning(
            "%s was closed while this worker was suspended. It drops %s that nobody registered: the URLs are due in the next run.",
            crawl_run,
            plural(dropped, "segment"),
        )
    statistics.finish_reason = "closed"


if __name__ == "__main__":
    handler = logging.StreamHandler()
    handler.setLevel(logging.WARNING)  # on the handler too: Scrapy sets its own loggers to DEBUG
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s", handlers=[handler])
    sys.exit(main())
