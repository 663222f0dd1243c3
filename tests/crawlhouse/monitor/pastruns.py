"""Past runs of a crawl: rows in the ledger, without captures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import insert

from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.manifest import FetchCounts, Manifest
from schemas.runs import CrawlRun, config_hash
from storage.database.engine import Database
from storage.database.ledger_tables import CRAWL_RUNS
from storage.ledger.ledger import open_ledger
from storage.ledger.summaries import RecentRun, RunSummary, write_summaries

_numbers = count()
NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


def past(hours_ago: float, published: int, quarantined: int = 0, crawl: str = "news") -> RecentRun:
    """A published run that was planned so many hours before noon."""
    at = NOW - timedelta(hours=hours_ago)
    name = f"{crawl}-{at:%Y%m%dT%H%M%SZ}-000000"
    records = published + quarantined
    summary = RunSummary(
        name, at, 10, 10, 0, 0, 0, 0, 1000, "finished", None, f"p-{hours_ago}", at, records, published, 0, 0, quarantined, 0
    )  # fmt: skip
    return RecentRun(crawl, name, "by hand x", at, "closed", 10, summary)


def store_runs(settings: Settings, crawl: Crawl, counts: Sequence[FetchCounts], hours: float = 1.0) -> list[str]:
    """Closed runs of a crawl with these counts, the last one now, each so many hours after the other; their names."""
    ledger = open_ledger(settings)
    names = []
    for place, one in enumerate(counts):
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=hours * (len(counts) - 1 - place))
        name = f"{crawl.name}-{at:%Y%m%dT%H%M%SZ}-{next(_numbers):06x}"
        run = CrawlRun(name, crawl, name, at, "0.1.0+test", config_hash(crawl))
        manifest = Manifest(
            crawl_run=name, crawl=crawl.name, code_version="0.1.0", config_hash=run.config_hash, planned_at=at, closed_at=at,
            finish_reason="finished", counts=one, reasons={}, segments=(),
        )  # fmt: skip
        ledger.add_crawl_run(run)
        ledger.close_crawl_run(name, manifest)
        names.append(name)
    ledger.close()
    return names


def fill(database: Database, crawls: Sequence[Crawl], runs: int) -> None:
    """Many runs of many crawls, with their numbers."""
    now, planned, rows = datetime.now(UTC), [], []
    same = {"code_version": "0.1.0", "config_hash": "0", "config": "{}", "state": "closed", "bytes": 9, "pages": 20, "manifest": "{}"}
    for crawl in crawls:
        for place in range(runs):
            at = now - timedelta(hours=runs - place)
            name = f"{crawl.name}-{place}"
            planned.append(same | {"crawl_run": name, "crawl": crawl.name, "key": name, "planned_at": at.timestamp()})
            rows.append(RunSummary(name, at, 20, 20, 0, 0, 0, 0, 9, "finished", None, f"p-{name}", at, 20, 5, 15, 0, 0, 0))
    with database.write() as connection:
        connection.execute(insert(CRAWL_RUNS), planned)
    write_summaries(database, rows)
