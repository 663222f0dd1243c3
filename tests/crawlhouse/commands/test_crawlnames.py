"""`crawlhouse rename` and `delete` on both databases: the frontier moves or goes, the ledger stays."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import insert

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.keys import statistics_key
from schemas.manifest import Manifest
from schemas.runs import CrawlRun, ProcessRun
from storage.database.engine import open_database
from storage.database.frontier_tables import HINTS
from storage.frontier.admin.changes import open_frontier_admin
from storage.frontier.admin.selection import Selection
from storage.frontier.frontier import open_frontier
from storage.frontier.records import Discovery
from storage.ledger.held import Held, hold_rows, list_held
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.crawlhouse.conftest import Ended, clean_environment, run_command

pytestmark = pytest.mark.servers_in_chaos

URLS = ("https://a.example/", "https://a.example/1")
YAML = "seeds: [https://a.example/]\n"


@pytest.fixture
def closed_run(settings: Settings) -> str:
    """A crawl `news` with two URLs known, its one run closed with both left over."""
    settings.crawls.mkdir(parents=True)
    (settings.crawls / "news.yaml").write_text(YAML, encoding="utf-8")
    frontier = open_frontier(settings)
    run = CrawlRun("news-1", parse_crawl(YAML, "news"), "1", datetime.now(UTC), "1", "hash")
    frontier.plan(run, [Discovery(url) for url in URLS])
    frontier.close()
    return run.crawl_run


def close(settings: Settings, run: str) -> None:
    frontier = open_frontier(settings)
    counts, reasons = frontier.begin_close(run)
    now = datetime.now(UTC)
    values = {"crawl_run": run, "crawl": "news", "code_version": "1", "config_hash": "h", "planned_at": now, "closed_at": now}
    frontier.finish_close(run, Manifest(**values, finish_reason="stopped", counts=counts, reasons=reasons, segments=()))
    frontier.close()


def command(settings: Settings, *arguments: str) -> Ended:
    env = clean_environment(home=str(settings.home), database=settings.database, crawls=str(settings.crawls))
    return run_command(*arguments, env=env, cwd=Path(settings.crawls))


def known(settings: Settings, crawl: str) -> int:
    return sum(open_frontier_admin(settings).counts(Selection(crawl=crawl)).values())


def test_a_crawl_is_renamed_once_it_rests(settings: Settings, closed_run: str) -> None:
    assert command(settings, "rename", "news", "papers").code == 6  # an open run
    close(settings, closed_run)
    refused = command(settings, "rename", "news", "papers")
    assert (refused.code, "crawlhouse process news" in refused.err) == (6, True)
    ledger = open_ledger(settings)
    crawl = parse_crawl(YAML, "news")
    ledger.add_process_run(ProcessRun("p-1", crawl, (closed_run,), "1", "h", 0, None))
    ledger.mark_published("p-1")
    done = command(settings, "rename", "news", "papers")
    assert (done.code, "2 URLs moved" in done.err) == (0, True)
    assert (known(settings, "news"), known(settings, "papers")) == (0, 2)
    assert not (settings.crawls / "news.yaml").exists()
    assert (settings.crawls / "papers.yaml").read_text(encoding="utf-8") == YAML
    frontier = open_frontier(settings)
    again = frontier.plan(
        CrawlRun("papers-1", parse_crawl(YAML, "papers"), "1", datetime.now(UTC), "1", "h"), [Discovery(url) for url in URLS]
    )
    assert frontier.state(again.crawl_run).open_hosts == 1
    assert known(settings, "papers") == 2  # found again, not a second time
    frontier.close()
    assert command(settings, "rename", "news", "other").code == 3


def test_a_crawl_takes_the_name_of_a_deleted_one_that_had_learned(settings: Settings, closed_run: str) -> None:
    """What belongs to the former name moves with it: site memory, the trust in sources, and what the gate holds back."""
    close(settings, closed_run)
    ledger = open_ledger(settings)
    ledger.add_process_run(ProcessRun("p-1", parse_crawl(YAML, "news"), (closed_run,), "1", "h", 0, None))
    ledger.mark_published("p-1")
    ledger.advance_memory("news", 0, 1, "p-1")
    hold_rows(ledger.database, "p-1", [Held(closed_run, "products", "news", "too dear")])
    frontier = open_frontier(settings)
    papers = CrawlRun("papers-1", parse_crawl(YAML, "papers"), "1", datetime.now(UTC), "1", "hash")
    frontier.plan(papers, [Discovery(URLS[0])])
    close(settings, papers.crawl_run)
    for version in range(3):
        ledger.advance_memory("papers", version, version + 1, f"p-{version}")
    assert command(settings, "delete", "papers", "--yes").code == 0
    with open_database(settings.database_url("frontier")).write() as connection:
        learned = {"host_id": 1, "source": "sitemap", "confirmed": 1.0, "refuted": 0.0, "pending": 0, "followed_at": 0.0}
        connection.execute(insert(HINTS), [learned | {"crawl": "news"}, learned | {"crawl": "papers"}])
    done = command(settings, "rename", "news", "papers")
    assert (done.code, "2 URLs moved" in done.err) == (0, True)
    assert (ledger.memory_version("news"), ledger.memory_version("papers")) == (0, 1)
    assert [one.crawl_run for one in list_held(ledger.database, "papers")] == [closed_run]
    assert known(settings, "papers") == 2
    frontier.close()


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "x y", "News"])
def test_what_can_be_no_name_is_not_found(settings: Settings, name: str) -> None:
    settings.crawls.mkdir(parents=True)
    open_frontier(settings).close()  # nothing is found in a home in which nothing was crawled
    for arguments in (("delete", name, "--yes"), ("rename", name, "new")):
        ended = command(settings, *arguments)
        assert (ended.code, f"There is no crawl {name!r}" in ended.err) == (3, True)


def test_a_crawl_is_deleted_with_consent_and_its_runs_stay(settings: Settings, closed_run: str) -> None:
    store = open_store(settings)
    for crawl in ("news", "newspapers"):
        store.put_bytes(statistics_key(crawl, f"{crawl}-1", "w0", 1), b"{}")
    assert command(settings, "delete", "news", "--yes").code == 6  # an open run
    close(settings, closed_run)
    assert command(settings, "delete", "news").code == 2
    assert len(list(store.list("statistics/"))) == 2
    assert known(settings, "news") == 2
    done = command(settings, "delete", "news", "--yes")
    assert (done.code, "2 URLs of news forgotten" in done.err) == (0, True)
    assert known(settings, "news") == 0
    assert (settings.crawls / "news.yaml").exists()
    assert open_ledger(settings).manifest(closed_run).counts.left_over == 2
    assert [info.key for info in store.list("statistics/")] == [statistics_key("newspapers", "newspapers-1", "w0", 1)]
    assert command(settings, "delete", "news", "--yes").code == 3
    assert command(settings, "delete", "../news", "--yes").code == 3
    store.put_bytes(statistics_key("news", "news-1", "w1", 1), b"{}")
    assert command(settings, "delete", "news", "--yes").code == 0  # the rest of a deletion that was cut off
    assert len(list(store.list("statistics/"))) == 1
