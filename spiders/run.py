"""A crawl run from its plan to its manifest: the functions that the command, the tests and the DAGs call."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TextIO

from runtime.code_version import code_version
from schemas.capture import UrlKind
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, make_home
from schemas.errors import AccountingError, ConfigError, ConflictError, RunClosedError, ThresholdError, UnavailableError
from schemas.manifest import FetchCounts, Manifest, Segment
from schemas.numbers import plural
from schemas.runs import CrawlRun, config_hash
from spiders.closing.abandoned import abandoned_runs
from spiders.closing.run_statistics import RunCounter
from spiders.closing.thresholds import check_thresholds
from spiders.progress import ProgressLine
from spiders.reading.crash_counts import CrashCounts
from spiders.schedule.next_visit import due_again, hours_between_runs
from spiders.seed_file import read_seeds, with_hosts
from spiders.spool.spool import remove_empty, spool_folder
from spiders.spool.statistics import WorkerStatistics, stored_statistics
from spiders.urls.canonical import canonicalize
from spiders.worker_process import run_worker, stop_workers
from storage.database.clock import check_clock
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.leasing import LEASE_SECONDS
from storage.frontier.manifests import index_rows, store_manifest, store_run_items
from storage.frontier.records import BudgetShortfall, Discovery, RunPhase, RunState
from storage.index.cdxj import store_cdxj
from storage.ledger.ledger import Ledger, open_ledger
from storage.objects.open import open_store
from storage.objects.store import ObjectStore
from storage.outages import patience, wait_out

POLL_SECONDS = 1.0
LOG = logging.getLogger(__name__)
SEED_PRIORITY = 0
NAMED_HOSTS = 3  # in a sentence

Progress = Callable[[RunState], None]


def plan(crawl: Crawl, key: str, settings: Settings, urls: Sequence[str] = ()) -> CrawlRun:
    """Plan a run of a crawl and pin its configuration. For a key that was planned before, return that run unchanged.

    `urls` are to be fetched in this run, whether they are due or not, if they are in scope. Earlier runs that nobody works on any more are
    closed first: the URLs that wait in them are left over for this run. Raises ConfigError for a seed that is not a URL, ClockError for a
    clock that is wrong, NotFoundError for a missing file of seeds or an unknown spider, SpiderError for a spider that cannot be imported,
    UnavailableError and StorageError for a store or a database that cannot be used.
    """
    check_spider(crawl, settings)
    make_home(settings)
    store = open_store(settings)
    store.check()  # before anything is fetched that could not be stored
    check_clock(settings)
    listed = list(read_seeds(store, crawl.seeds_file)) if crawl.seeds_file else []
    crawl = with_hosts(crawl, listed)
    digest = hashlib.sha256(f"{crawl.name}\0{key}".encode()).hexdigest()[:6]
    close_abandoned(crawl.name, key, settings)
    frontier = open_frontier(settings)
    try:
        _reschedule(crawl, frontier, settings)
        now = datetime.fromtimestamp(frontier.now(), UTC).replace(microsecond=0)
        run = CrawlRun(f"{crawl.name}-{now:%Y%m%dT%H%M%SZ}-{digest}", crawl, key, now, code_version(), config_hash(crawl))
        seeds = [_seed(seed.url, seed.kind) for seed in crawl.seeds] + [_seed(url, "auto") for url in listed]
        planned = frontier.plan(run, seeds, [_requested_url(url) for url in urls])
        if left := describe_budget_shortfall(frontier.budget_shortfall(planned.crawl_run)):
            LOG.warning("%s: %s", planned.crawl_run, left)
        return planned
    finally:
        frontier.close()


def _reschedule(crawl: Crawl, frontier: Frontier, settings: Settings) -> None:
    """If `revisit` or `schedule` is another than in the crawl's last run, compute due times by it. The old ones would hold for weeks."""
    ledger = open_ledger(settings)
    try:
        before = ledger.latest_crawl(crawl.name)
    finally:
        ledger.close()
    if before is not None and (before.revisit, before.schedule) != (crawl.revisit, crawl.schedule):
        count = frontier.reschedule(crawl.name, partial(due_again, crawl.revisit, hours_between_runs(crawl.schedule)))
        LOG.info("%s: `revisit` or `schedule` was changed. The due times of %s are computed anew.", crawl.name, plural(count, "URL"))


def describe_budget_shortfall(left: BudgetShortfall) -> str:
    """What a run leaves because its budgets are too small; empty if it leaves nothing."""
    numbers = {"new pages": left.new, "feeds, sitemaps and hubs": left.sources, "known articles": left.revisits}
    parts = [f"{number:,} {name}" for name, number in numbers.items() if number]
    return f"the budgets do not cover all that is due, left for a later run: {'; '.join(parts)}" if parts else ""


def describe_nothing_due(run: CrawlRun, settings: Settings) -> str:
    """That a planned run has no URL, and when the next one is due. Empty if it has any, or if a user's spider may find some."""
    frontier = open_frontier(settings)
    try:
        if run.crawl.has_own_spider() or frontier.count_due(run.crawl_run)[0]:
            return ""
        following = frontier.next_due_url(run.crawl.name)
    finally:
        frontier.close()
    name = run.crawl.name
    again = f"`crawlhouse frontier retry --crawl {name}` makes URLs due now"
    if following is None:
        return f"Nothing of {name} is due, nor will anything be: every URL is finished. {again}."
    at, url = datetime.fromtimestamp(following[0], UTC), following[1]
    return f"Nothing of {name} is due; next at {at:%Y-%m-%d %H:%M} UTC ({url}). {again}; `revisit` in the crawl's file sets the intervals."


def describe_due(run: CrawlRun, settings: Settings) -> str:
    """What is due in a planned run: how many URLs of how many hosts, and those with most of them. Or that it was closed before."""
    frontier = open_frontier(settings)
    try:
        if frontier.is_closed(run.crawl_run):
            return f"{run.crawl_run} was planned before and is closed: nothing is fetched again. A new run takes what is due now."
        hosts, urls = frontier.count_due(run.crawl_run)
        busiest = frontier.busiest_hosts(run.crawl_run, NAMED_HOSTS)
    finally:
        frontier.close()
    named = ", ".join(f"{host} {count:,}" for host, count in busiest.items())
    more = f", and {plural(hosts - NAMED_HOSTS, 'more host')}" if hosts > NAMED_HOSTS else ""
    return f"{run.crawl_run}: {plural(urls, 'URL')} due at its start{f' ({named}{more})' if named else ''}. What they link to is added."


def withdraw(crawl_run: str, settings: Settings) -> None:
    """Remove a planned run that has no URLs, so that nothing is left of it."""
    frontier = open_frontier(settings)
    try:
        frontier.withdraw(crawl_run)
    finally:
        frontier.close()


def close_abandoned(crawl: str, key: str, settings: Settings) -> None:
    """Close the runs of a crawl that nobody works on any more, except the one of this key."""
    for crawl_run in abandoned_runs(crawl, key, settings):
        LOG.warning("%s was never closed, and no worker works on it. It is closed now.", crawl_run)
        try:
            close(crawl_run, settings)
        except ThresholdError as missed:  # it is closed nevertheless
            LOG.warning("%s", missed)


def check_spider(crawl: Crawl, settings: Settings) -> None:
    """Check that the user's spider can be loaded, if the crawl names one. Raises NotFoundError, SpiderError, ConfigError."""
    if crawl.has_own_spider():
        from spiders.custom.loader import find_spider  # without Scrapy, planning is quick

        find_spider(crawl, settings)


def _seed(url: str, kind: str) -> Discovery:
    canonical = canonicalize(url)
    if canonical is None:
        raise ConfigError(f"The seed {url!r} is not a URL that can be fetched. Correct it in the crawl's YAML.")
    return Discovery(canonical, UrlKind.PAGE if kind == "auto" else UrlKind(kind), priority=SEED_PRIORITY)


def _requested_url(url: str) -> Discovery:
    canonical = canonicalize(url)
    if canonical is None:
        raise ConfigError(f"{url!r} is not a URL that can be fetched. Give whole URLs, like https://example.com/news.")
    return Discovery(canonical, UrlKind.PAGE, priority=SEED_PRIORITY)


def fetch(
    crawl_run: str, worker: str, settings: Settings, log_to: TextIO | None = None, secrets: Mapping[str, str] | None = None
) -> WorkerStatistics:
    """Start the worker of that name in its own process, and fetch until the run has no more URLs for it.

    The worker's log goes to stderr or `log_to`. `secrets` are further variables of its environment, for the crawl's credentials. If a call
    was interrupted, calling again continues. On a run that is closed, or is being closed, nothing is done. An error of the worker is raised
    here with its own class.
    """
    ledger = open_ledger(settings)
    ledger.crawl_run(crawl_run)
    if not any(run.crawl_run == crawl_run for run in ledger.crawl_runs(state="open")):
        return WorkerStatistics(crawl_run=crawl_run, worker=worker, finish_reason="closed")
    return run_worker(crawl_run, worker, settings, _progress_logger(crawl_run, settings), log_to, secrets)


def has_more(crawl_run: str, settings: Settings) -> bool:
    """Whether a run is open, nobody asked it to end, and it has URLs to fetch."""
    frontier = open_frontier(settings)
    try:
        return frontier.state(crawl_run).phase is RunPhase.WORKING
    finally:
        frontier.close()


def time_left(crawl_run: str, settings: Settings) -> tuple[datetime, timedelta]:
    """The time by the database's clock, and how much of the run's `max_minutes` is left; it may be negative."""
    frontier, run = open_frontier(settings), open_ledger(settings).crawl_run(crawl_run)
    try:
        now = datetime.fromtimestamp(frontier.now(), UTC)
    finally:
        frontier.close()
    return now, run.planned_at + run.crawl.max_run_time() - now


def secret_names(crawl_run: str, settings: Settings) -> list[str]:
    """The names of the secrets that a planned run needs."""
    return open_ledger(settings).crawl_run(crawl_run).crawl.secret_names()


def _progress_logger(crawl_run: str, settings: Settings) -> Callable[[], None]:
    """Returns a function that logs the run's progress in one line."""
    line = ProgressLine()

    def log() -> None:
        frontier = open_frontier(settings)
        try:
            LOG.info("%s: %s", crawl_run, line.text(frontier.state(crawl_run)))
        except UnavailableError as error:  # this is only a line of the log; if it lasts, the worker fails with it
            LOG.info("%s: %s", crawl_run, error)
        finally:
            frontier.close()

    return log


def close(crawl_run: str, settings: Settings) -> Manifest:
    """Close a run: check its accounting, store its CDXJ and its manifest of registered segments. Closing again returns the same manifest.

    Waits until the leases of crashed workers expire. Raises ConflictError while live workers hold hosts, AccountingError, and, after the
    run is closed, ThresholdError if the crawl's own thresholds were missed.
    """
    frontier, store, ledger = open_frontier(settings), open_store(settings), open_ledger(settings)
    try:
        run = ledger.crawl_run(crawl_run)
        manifest = _closed_manifest(run, frontier, ledger, store, settings)
        CrashCounts(settings, run.crawl.name)  # counts the URLs that crashed workers were reading
        frontier.release_left_over(crawl_run)
        for worker in frontier.workers(crawl_run):  # of workers that crashed: the others removed theirs
            remove_empty(spool_folder(settings, crawl_run, worker))
    finally:
        frontier.close()
    check_thresholds(run.crawl, manifest)
    return manifest


def _closed_manifest(run: CrawlRun, frontier: Frontier, ledger: Ledger, store: ObjectStore, settings: Settings) -> Manifest:
    """The manifest of a run, which is closed first if it is not. If several processes close it at once, the first one's manifest counts."""
    try:
        return ledger.manifest(run.crawl_run)
    except ConflictError:
        pass
    try:
        counts, reasons = _wait_and_count(frontier, run.crawl_run)
    except RunClosedError:  # another process just closed it
        return ledger.manifest(run.crawl_run)
    segments = ledger.segments(run.crawl_run)  # not earlier: segments are registered until the run begins to close
    made = _manifest(run, counts, reasons, segments, frontier, store, settings)
    manifest = frontier.finish_close(run.crawl_run, made)
    if manifest != made:
        store_manifest(manifest, store)
    return manifest


def _manifest(
    run: CrawlRun,
    counts: FetchCounts,
    reasons: dict[str, int],
    segments: Sequence[Segment],
    frontier: Frontier,
    store: ObjectStore,
    settings: Settings,
) -> Manifest:
    if not counts.balanced():
        raise AccountingError(
            f"The counts of {run.crawl_run} do not add up: {counts}. Nothing was closed; keep the database and report it."
        )
    stopping = frontier.state(run.crawl_run).stopping
    workers = stored_statistics(run.crawl.name, run.crawl_run, frontier.workers(run.crawl_run), store)
    counter = RunCounter(frontier, run.crawl_run, workers)
    make_home(settings)
    store_cdxj(run.crawl.name, run.crawl_run, counter.watch(index_rows(segments, store)), store, settings.home)
    manifest = Manifest(
        crawl_run=run.crawl_run,
        crawl=run.crawl.name,
        code_version=run.code_version,
        config_hash=run.config_hash,
        planned_at=run.planned_at,
        closed_at=datetime.now(UTC),
        finish_reason=stopping or ("left_over" if counts.left_over else "finished"),
        counts=counts,
        reasons=reasons,
        segments=tuple(segments),
        statistics=counter.statistics(store_run_items(run.crawl.name, run.crawl_run, segments, store, settings.home)),
        left_over_urls=frontier.left_over_urls(run.crawl_run),
    )
    store_manifest(manifest, store)
    return manifest


def _wait_and_count(frontier: Frontier, crawl_run: str) -> tuple[FetchCounts, dict[str, int]]:
    deadline = time.monotonic() + LEASE_SECONDS + POLL_SECONDS
    while True:
        try:
            return frontier.begin_close(crawl_run)
        except RunClosedError:
            raise
        except ConflictError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)


def crawl_once(
    crawl: Crawl,
    settings: Settings,
    progress: Progress | None = None,
    key: str | None = None,
    log_to: TextIO | None = None,
    urls: Sequence[str] = (),
) -> Manifest:
    """A whole run without Airflow: plan, fetch with as many workers as the YAML says, close. `progress` is called every second.

    `urls` are fetched in it whether they are due or not.
    """
    key = key or f"by hand {datetime.now(UTC).isoformat()}"
    with patience(settings):
        run = wait_out(plan, crawl, key, settings, urls)
        fetch_all(run.crawl_run, [f"w{number}" for number in range(1, crawl.workers + 1)], settings, progress, log_to)
        return wait_out(close, run.crawl_run, settings)


def fetch_all(
    crawl_run: str, workers: Sequence[str], settings: Settings, progress: Progress | None = None, log_to: TextIO | None = None
) -> list[WorkerStatistics]:
    """Fetch with several workers at once, each a process. An interruption, or an error of one of them, ends all of them cleanly."""
    with ThreadPoolExecutor(len(workers)) as pool:
        working = [pool.submit(fetch, crawl_run, worker, settings, log_to) for worker in workers]
        try:
            if progress is not None:
                _report_progress(crawl_run, settings, progress, lambda: all(worker.done() for worker in working))
            return [worker.result() for worker in working]
        except BaseException:
            stop_workers()
            while wait(working, POLL_SECONDS).not_done:  # one may have been about to start
                stop_workers()
            raise


def _report_progress(crawl_run: str, settings: Settings, progress: Progress, is_done: Callable[[], bool]) -> None:
    frontier = open_frontier(settings)
    try:
        while not is_done():
            progress(frontier.state(crawl_run))
            time.sleep(POLL_SECONDS)
        progress(frontier.state(crawl_run))
    finally:
        frontier.close()
