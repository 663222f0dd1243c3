"""The page of a crawl: its state, what changed, and its last runs as bars that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crawlhouse.monitor.health import CrawlHealth, read_health
from crawlhouse.pages.overview import DagState, crawl_row
from crawlhouse.pages.plots import BarPart, Series, bar, series
from crawlhouse.pages.site import REFRESH_SECONDS, Site, render
from schemas.config.settings import Settings
from schemas.errors import NotFoundError
from schemas.outcomes import FetchOutcome, Outcome
from storage.database.engine import open_database
from storage.ledger.summaries import RecentRun


@dataclass(frozen=True, slots=True)
class RunBars:
    """A run with its URLs and its records as bars."""

    run: RecentRun
    urls: tuple[BarPart, ...]
    records: tuple[BarPart, ...]


def render_crawl(settings: Settings, site: Site, name: str, dag: DagState | None = None, token: str = "", begun: str = "") -> str:
    """The page as HTML. `token` makes its form valid, `begun` is the DAG run that was just started.

    Raises NotFoundError, UnavailableError, StorageError.
    """
    database = open_database(settings.database_url("frontier"))
    try:
        health = read_health(database, settings, name)[name]
    finally:
        database.close()
    if health.crawl is None and health.broken is None and not health.runs:
        raise NotFoundError(f"There is no crawl {name!r}: it has neither a file in {settings.crawls} nor a run.")
    return render(
        "crawl.html",
        site,
        title=name,
        row=crawl_row(health, dag or DagState(), 0),
        runs=_bars(health.runs),
        lines=_lines(health),
        outcomes=list(Outcome),
        fetch_outcomes=list(FetchOutcome),
        token=token,
        begun=begun,
        refresh=REFRESH_SECONDS if health.is_fetching else 6 * REFRESH_SECONDS,
        place="overview",
    )


def _bars(runs: Sequence[RecentRun]) -> list[RunBars]:
    longest = max([1, *(max(run.summary.due, run.summary.records) for run in runs if run.summary)])
    return [_run_bars(run, longest) for run in runs]


def _run_bars(run: RecentRun, longest: int) -> RunBars:
    summary = run.summary
    if summary is None:
        return RunBars(run, (), ())
    urls = bar({outcome: getattr(summary, outcome) for outcome in FetchOutcome}, longest)
    return RunBars(run, urls, bar({outcome: getattr(summary, outcome) for outcome in Outcome}, longest))


def _lines(health: CrawlHealth) -> list[Series]:
    """How the crawl went over its runs."""
    summaries = [(run.planned_at.strftime("%Y-%m-%d %H:%M"), run.summary) for run in reversed(health.runs) if run.summary]
    found = [
        series("Pages fetched", [(label, float(one.fetched)) for label, one in summaries]),
        series("Records published", [(label, float(one.published) if one.published_at else None) for label, one in summaries]),
        series("Failed, in percent", [(label, _error_percent(one.fetched, one.failed)) for label, one in summaries]),
        series("In quarantine", [(label, float(one.quarantined) if one.published_at else None) for label, one in summaries]),
        series("Received, in MB", [(label, one.bytes / 1e6) for label, one in summaries]),
        series("Minutes", [(run.planned_at.strftime("%Y-%m-%d %H:%M"), _minutes(run)) for run in reversed(health.runs) if run.summary]),
    ]
    return [one for one in found if one is not None]


def _error_percent(fetched: int, failed: int) -> float | None:
    """The error rate, as `max_error_rate` and the overview have it."""
    return 100 * failed / (fetched + failed) if fetched or failed else None


def _minutes(run: RecentRun) -> float | None:
    return None if run.summary is None else (run.summary.closed_at - run.planned_at).total_seconds() / 60
