"""Large changes are written in short transactions. If the process is killed between two of them, repeating the change completes it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select

from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.errors import ConflictError
from schemas.manifest import FetchCounts, Manifest
from schemas.runs import CrawlRun
from storage.database import chunks
from storage.database.engine import open_database
from storage.database.frontier_tables import FETCHES, RUN_HOSTS, URLS
from storage.frontier import planning
from storage.frontier.admin import changes as steering
from storage.frontier.admin.changes import open_frontier_admin
from storage.frontier.admin.selection import Change, Selection
from storage.frontier.frontier import open_frontier
from storage.frontier.records import Discovery
from storage.ledger.ledger import open_ledger
from tests.forks import fork_context

ROWS = 10
SEEDS = [Discovery(f"https://host-{number % 4}.example/{number}") for number in range(36)]


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunks, "CHUNK_ROWS", ROWS)
    monkeypatch.setattr(steering, "CHUNK_ROWS", ROWS)
    monkeypatch.setattr(planning, "GIVEN_ROWS", ROWS)
    monkeypatch.setattr(chunks, "PAUSE_SECONDS", 0.0)


def killed(work: Callable[..., object], settings: Settings, number: int, *arguments: str) -> None:
    """Do something in a process that is killed after the `number`-th transaction of its chunks."""
    process = fork_context().Process(target=_dying, args=(work, settings, number, arguments))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL


def _dying(work: Callable[..., object], settings: Settings, number: int, arguments: tuple[str, ...]) -> None:
    os.environ["CRAWLHOUSE_FAILPOINT"] = f"between-chunks:{number}"
    chunks.CHUNK_ROWS = planning.GIVEN_ROWS = ROWS
    work(settings, *arguments)


def forget(settings: Settings) -> int:
    return open_frontier_admin(settings).delete_crawl("news")


def rename(settings: Settings) -> int:
    return open_frontier_admin(settings).rename_crawl("news", "papers")


def run_of(crawl: str, key: str) -> CrawlRun:
    return CrawlRun(f"{crawl}-{key}", Crawl(name=crawl, seeds=(Seed(url="https://a.example/"),)), key, datetime.now(UTC), "1", "hash")


def plan(settings: Settings, crawl: str = "news", key: str = "1") -> str:
    frontier = open_frontier(settings)
    try:
        return frontier.plan(run_of(crawl, key), SEEDS).crawl_run
    finally:
        frontier.close()


def close(settings: Settings, run: str) -> FetchCounts:
    frontier = open_frontier(settings)
    counts, reasons = frontier.begin_close(run)
    now = datetime.now(UTC)
    manifest = Manifest(
        crawl_run=run, crawl="news", code_version="1", config_hash="h", planned_at=now, closed_at=now, finish_reason="stopped",
        counts=counts, reasons=reasons, segments=(),
    )  # fmt: skip
    frontier.finish_close(run, manifest)
    frontier.close()
    return counts


def rows_of(settings: Settings) -> dict[str, int]:
    with open_database(settings.database_url("frontier")).read() as connection:
        tables = {table.name: connection.scalar(select(func.count()).select_from(table)) or 0 for table in (URLS, RUN_HOSTS, FETCHES)}
        waiting = connection.scalar(select(func.count()).select_from(URLS).where(URLS.c.run_no.is_not(None))) or 0
    return tables | {"waiting": waiting}


@pytest.mark.servers_in_chaos
@pytest.mark.parametrize("number", [1, 3])
def test_an_interrupted_plan_is_continued(settings: Settings, number: int) -> None:
    killed(plan, settings, number)
    assert rows_of(settings)["waiting"] == ROWS * number
    assert [run.crawl_run for run in open_ledger(settings).crawl_runs(state="planning")] == ["news-1"]
    assert open_ledger(settings).crawl_runs(state="open") == []
    assert plan(settings) == "news-1"
    assert open_ledger(settings).crawl_runs(state="planning") == []
    assert close(settings, "news-1") == FetchCounts(due=len(SEEDS), left_over=len(SEEDS))


def test_a_run_whose_planning_was_interrupted_can_be_closed(settings: Settings) -> None:
    killed(plan, settings, 2)
    assert close(settings, "news-1") == FetchCounts(due=2 * ROWS, left_over=2 * ROWS)
    plan(settings, key="2")
    assert rows_of(settings)["waiting"] == len(SEEDS)


def test_an_interrupted_close_leaves_no_url_behind(settings: Settings) -> None:
    plan(settings)
    killed(close, settings, 1, "news-1")
    assert rows_of(settings)["waiting"] == len(SEEDS) - ROWS
    assert open_ledger(settings).manifest("news-1").counts.left_over == len(SEEDS)
    plan(settings, key="2")
    assert close(settings, "news-2").left_over == len(SEEDS)


def test_an_interrupted_deletion_is_completed(settings: Settings) -> None:
    plan(settings)
    close(settings, "news-1")
    killed(forget, settings, 2)
    assert rows_of(settings) == {"urls": len(SEEDS) - 2 * ROWS, "run_hosts": 0, "fetches": 0, "waiting": 0}
    assert open_frontier_admin(settings).delete_crawl("news") == len(SEEDS) - 2 * ROWS
    assert rows_of(settings)["urls"] == 0


@pytest.mark.servers_in_chaos
@pytest.mark.parametrize("number", [1, 3])
def test_an_interrupted_renaming_is_completed_and_nothing_is_planned_before(settings: Settings, number: int) -> None:
    plan(settings)
    close(settings, "news-1")
    killed(rename, settings, number)
    admin = open_frontier_admin(settings)

    def is_refused(work: Callable[[], object]) -> None:
        with pytest.raises(ConflictError, match="crawlhouse rename news papers"):
            work()

    is_refused(lambda: plan(settings, "news", "2"))
    is_refused(lambda: plan(settings, "papers"))
    is_refused(lambda: admin.delete_crawl("news"))
    is_refused(lambda: admin.rename_crawl("news", "other"))
    assert admin.rename_crawl("news", "papers") == len(SEEDS) - number * ROWS
    assert {crawl for crawl, _ in admin.counts(Selection())} == {"papers"}
    plan(settings, "papers")
    assert rows_of(settings) == {"urls": len(SEEDS), "run_hosts": 8, "fetches": 0, "waiting": len(SEEDS)}


def test_a_change_of_many_urls_reaches_each_once(settings: Settings) -> None:
    plan(settings)
    close(settings, "news-1")
    admin = open_frontier_admin(settings)
    assert admin.change(Selection(crawl="news", glob="*host-1*"), Change.PAUSE) == len(SEEDS) // 4
    assert admin.change(Selection(crawl="news"), Change.PAUSE) == len(SEEDS) - len(SEEDS) // 4
    assert admin.change(Selection(crawl="news"), Change.RESUME) == len(SEEDS)
