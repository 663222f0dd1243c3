"""What is removed from the frontier and the store when it is old, and what stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select

from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.outcomes import FetchOutcome
from schemas.runs import CrawlRun
from spiders.run import close
from storage.database.engine import open_database
from storage.database.frontier_tables import FETCHES, ROBOTS, RUN_HOSTS, URLS, WORKERS
from storage.frontier.admin.upkeep import KEEP_LOG_DAYS, KEEP_RUN_DAYS, tidy
from storage.frontier.frontier import open_frontier
from storage.frontier.records import Discovery, FetchResult
from storage.frontier.robots_cache import CachedRobots
from storage.objects.open import open_store

DAY = 24 * 3600.0


def test_old_runs_expired_robots_and_old_logs_go(settings: Settings) -> None:
    now = datetime.now(UTC)
    for key, age in (("old", KEEP_RUN_DAYS + 1), ("new", 1)):
        _closed_run(settings, key, now - timedelta(days=age))
    frontier = open_frontier(settings)
    frontier.plan(_run("open", now - timedelta(days=KEEP_RUN_DAYS + 1)), [Discovery("https://a.example/open")])
    for name, expires in (("gone", -DAY), ("kept", DAY)):
        frontier.cache_robots(CachedRobots(f"https://{name}.example", 200, b"", now.timestamp() + expires))
    frontier.close()
    store = open_store(settings)
    for age in (KEEP_LOG_DAYS + 1, 1):
        date = f"{now - timedelta(days=age):%Y-%m-%dT%H:%M:%S}"
        store.put_bytes(f"airflow-logs/dag_id=crawl_news/run_id=scheduled__{date}+00:00/task_id=plan/attempt=1.log", b"line")
    store.put_bytes("airflow-logs/something-else.log", b"line")
    assert _rows(settings) == {"fetches": 2, "run_hosts": 3, "workers": 2, "robots": 2, "urls": 3}
    assert tidy(settings).counts() == {"fetches": 1, "run_rows": 2, "robots": 1, "logs": 1}
    assert _rows(settings) == {"fetches": 1, "run_hosts": 2, "workers": 1, "robots": 1, "urls": 3}
    assert len(list(store.list("airflow-logs/"))) == 2
    assert set(tidy(settings).counts().values()) == {0}


def _run(key: str, planned_at: datetime) -> CrawlRun:
    return CrawlRun(f"news-{key}", Crawl(name=f"news{key}", seeds=(Seed(url="https://a.example/"),)), key, planned_at, "1", "hash")


def _closed_run(settings: Settings, key: str, planned_at: datetime) -> None:
    frontier = open_frontier(settings)
    run = frontier.plan(_run(key, planned_at), [Discovery(f"https://a.example/{key}")]).crawl_run
    number, _ = frontier.join(run, "w")
    (lease,) = frontier.lease_hosts(run, "w", number, 1)
    (due,) = frontier.due_urls(run, lease, 10)
    frontier.register(run, "w", [lease], [FetchResult(due.url_id, due.host_id, FetchOutcome.FETCHED, status=200)])
    frontier.release({lease: 0.0})
    frontier.close()
    close(run, settings)


def _rows(settings: Settings) -> dict[str, int]:
    database = open_database(settings.database_url("frontier"))
    with database.read() as connection:
        tables = (FETCHES, RUN_HOSTS, WORKERS, ROBOTS, URLS)
        counts = {table.name: int(connection.scalar(select(func.count()).select_from(table)) or 0) for table in tables}
    database.close()
    return counts
