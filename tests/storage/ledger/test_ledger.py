"""The ledger: every change happens once, also if it is repeated, and there is one publisher at a time."""

import multiprocessing
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.errors import ConflictError, FencedError, NotFoundError, StorageError, UnavailableError
from schemas.manifest import FetchCounts, Manifest
from schemas.runs import CrawlRun, ProcessRun
from storage.ledger.ledger import Ledger, open_ledger
from tests.forks import fork_context

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
CRAWL = Crawl(name="news", seeds=(Seed(url="https://a.example/"),))


def crawl_run(number: int) -> CrawlRun:
    return CrawlRun(f"news-20261122T12000{number}Z-abcdef", CRAWL, f"key-{number}", NOW, "1.0", "hash")


def process_run(name: str, *crawl_runs: str) -> ProcessRun:
    return ProcessRun(name, CRAWL, crawl_runs, "1.0", "hash", 0, None)


def manifest(run: CrawlRun) -> Manifest:
    return Manifest(
        crawl_run=run.crawl_run,
        crawl="news",
        code_version="1.0",
        config_hash="hash",
        planned_at=NOW,
        closed_at=NOW,
        finish_reason="finished",
        counts=FetchCounts(),
        reasons={},
        segments=(),
    )


def closed(ledger: Ledger, number: int) -> str:
    run = ledger.add_crawl_run(crawl_run(number))
    ledger.close_crawl_run(run.crawl_run, manifest(run))
    return run.crawl_run


@pytest.fixture
def ledger(settings: Settings) -> Ledger:
    return open_ledger(settings)


def test_a_run_is_planned_once_per_key(ledger: Ledger) -> None:
    first = ledger.add_crawl_run(crawl_run(1))
    again = ledger.add_crawl_run(replace(crawl_run(2), key="key-1"))
    assert again == first
    assert ledger.crawl_run(first.crawl_run).crawl == CRAWL
    assert ledger.crawl_runs("news", state="open") == [first]
    assert ledger.crawl_runs("news", state="closed") == []


def test_closing_keeps_the_first_manifest(ledger: Ledger) -> None:
    run = ledger.add_crawl_run(crawl_run(1))
    with pytest.raises(ConflictError, match="still open"):
        ledger.manifest(run.crawl_run)
    ledger.close_crawl_run(run.crawl_run, manifest(run))
    second = manifest(run).model_copy(update={"finish_reason": "budget"})
    assert ledger.close_crawl_run(run.crawl_run, second).finish_reason == "finished"
    assert ledger.manifest(run.crawl_run).finish_reason == "finished"


def test_a_closed_run_is_unpublished_until_a_process_run_with_it_is_published(ledger: Ledger) -> None:
    first, second = closed(ledger, 1), closed(ledger, 2)
    ledger.add_crawl_run(crawl_run(3))
    ledger.add_process_run(process_run("p-1", first))
    assert ledger.closed_unpublished("news") == [first, second]
    ledger.mark_published("p-1")
    assert ledger.closed_unpublished("news") == [second]
    assert ledger.closed_unpublished("other") == []


def test_a_process_run_is_kept_whole(ledger: Ledger) -> None:
    run = process_run("p-1", closed(ledger, 1), closed(ledger, 2))
    ledger.add_process_run(run)
    ledger.add_process_run(run)
    assert ledger.process_run("p-1") == run


def test_a_second_commit_to_a_table_is_refused(ledger: Ledger) -> None:
    ledger.add_process_run(process_run("p-1", closed(ledger, 1)))
    ledger.mark_published("p-1", {"articles": 7_000_000_000_000_000_000})
    first = ledger.published_at("p-1")
    ledger.mark_published("p-1", {"articles": 7_000_000_000_000_000_000, "runs": 9})
    with pytest.raises(ConflictError, match="was committed to 'articles' before, by snapshot 7000000000000000000"):
        ledger.mark_published("p-1", {"articles": 8})
    assert ledger.published_at("p-1") == first
    assert ledger.unpublished() == set()
    assert ledger.commits("p-1") == {"articles": 7_000_000_000_000_000_000, "runs": 9}


def test_the_memory_moves_by_compare_and_set(ledger: Ledger) -> None:
    assert ledger.memory_version("news") == 0
    ledger.advance_memory("news", 0, 1, "p-1")
    ledger.advance_memory("news", 0, 1, "p-1")
    with pytest.raises(ConflictError, match="at version 1, not 0"):
        ledger.advance_memory("news", 0, 1, "p-2")
    assert ledger.memory_version("news") == 1


def test_sequences_are_never_given_twice(ledger: Ledger) -> None:
    with ThreadPoolExecutor(4) as pool:
        numbers = list(pool.map(lambda _: ledger.next_sequence(), range(20)))
    assert sorted(numbers) == list(range(1, 21))


@pytest.mark.parametrize("ask", ["crawl_run", "manifest", "process_run", "mark_published"])
def test_what_is_not_there_is_not_found(ledger: Ledger, ask: str) -> None:
    with pytest.raises(NotFoundError, match="nothing-like-it"):
        getattr(ledger, ask)("nothing-like-it")


def test_many_first_starts_at_once_make_one_schema(settings: Settings) -> None:
    with ThreadPoolExecutor(6) as pool:
        ledgers = list(pool.map(open_ledger, [settings] * 6))
    assert ledgers[0].add_crawl_run(crawl_run(1)) == ledgers[5].crawl_run(crawl_run(1).crawl_run)


def _hold_lock(settings: Settings, holding: "multiprocessing.synchronize.Event") -> None:
    with open_ledger(settings).publish_lock():
        holding.set()
        time.sleep(60)


def test_the_publish_lock_excludes_and_dies_with_its_holder(settings: Settings, ledger: Ledger) -> None:
    context = fork_context()
    holding = context.Event()
    holder = context.Process(target=_hold_lock, args=(settings, holding))
    holder.start()
    assert holding.wait(30)
    with pytest.raises(ConflictError, match="Another process has been publishing"), ledger.publish_lock(wait_seconds=0.3):
        pass
    assert holder.pid is not None
    os.kill(holder.pid, signal.SIGKILL)
    holder.join()
    with ledger.publish_lock(wait_seconds=5):
        pass


def test_only_the_last_holder_of_the_publish_lock_writes(ledger: Ledger) -> None:
    with ledger.publish_lock() as earlier, ledger.fenced(earlier):
        pass
    with ledger.publish_lock() as later:
        assert later > earlier
        with pytest.raises(FencedError, match="Another process took the publish lock"), ledger.fenced(earlier):
            pytest.fail("a stale token")
        with ledger.fenced(later):
            pass


def test_a_database_that_does_not_answer_says_what_to_do(tmp_path: pytest.TempPathFactory) -> None:
    with pytest.raises(UnavailableError, match="CRAWLHOUSE_DATABASE"):
        open_ledger(Settings(home=tmp_path, crawls=tmp_path, database="postgresql://nobody@127.0.0.1:9/none"))


def test_a_damaged_database_is_named(sqlite_settings: Settings) -> None:
    sqlite_settings.home.mkdir()
    (sqlite_settings.home / "frontier.sqlite").write_bytes(b"this is no database, but it is long enough to be looked at" * 20)
    with pytest.raises(StorageError, match="damaged"):
        open_ledger(sqlite_settings)


def test_a_configuration_that_was_pinned_before_there_were_bounds_is_read(ledger: Ledger) -> None:
    long_tags = CRAWL.model_copy(update={"tags": ("x" * 101,), "schedule": "0 0 30 2 *"})
    run = replace(crawl_run(1), crawl=long_tags)
    ledger.add_crawl_run(run)
    assert ledger.crawl_run(run.crawl_run).crawl == long_tags
