"""Runs that end while workers are still at work: all that is registered is in the manifest, and the run processes."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest
from sqlalchemy import update

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.manifest import FetchCounts, Manifest
from spiders.run import close, crawl_once, plan
from spiders.spool.statistics import read_statistics
from storage.database.engine import open_database
from storage.database.frontier_tables import HOSTS
from storage.frontier.frontier import open_frontier
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from tests.closedruns import check_processed
from tests.spiders.smallserver import small_server

pytestmark = pytest.mark.servers_in_chaos

DEADLINE_SECONDS = 60
HOSTS_BY_ADDRESS = [f"127.0.0.{number}" for number in range(1, 5)]
SLOW_SECONDS = 0.8


def respond(path: str, times: int) -> tuple[int, dict[str, str], bytes]:
    """Pages that lead on and on; every third takes its time."""
    if not path.strip("/").isdigit():
        return 404, {}, b""
    number = int(path.strip("/"))
    time.sleep(SLOW_SECONDS if number % 3 == 2 else 0.02)
    return 200, {}, f"<title>{number}</title><p>Page {number}.<a href='/{number + 1}'>next</a><a href='/{number + 2}'>over</a>".encode()


@pytest.fixture(scope="module")
def sites() -> Iterator[list[str]]:
    with ExitStack() as stack:
        yield [stack.enter_context(small_server(respond, host=address)).base for address in HOSTS_BY_ADDRESS]


def planned(sites: list[str], settings: Settings, key: str = "k") -> str:
    text = f"seeds: {[site + '/0' for site in sites]}\nnetwork: {{allow: [127.0.0.0/8]}}\npoliteness: {{delay: 0}}"
    return plan(parse_crawl(text, "endless"), key, settings).crawl_run


def start(run: str, worker: str, settings: Settings, folder: Path) -> subprocess.Popen[bytes]:
    given = {f"CRAWLHOUSE_{name.upper()}": str(value) for name, value in settings.model_dump().items() if value}
    command = [sys.executable, "-m", "spiders.worker", "--run", run, "--worker", worker, "--statistics", str(folder / f"{worker}.json")]
    return subprocess.Popen(command, env={**os.environ, **given}, process_group=0)


def wait_for_answers(run: str, settings: Settings, number: int) -> None:
    frontier, deadline = open_frontier(settings), time.monotonic() + DEADLINE_SECONDS
    while frontier.state(run).responses < number:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    frontier.close()


def freeze(process: subprocess.Popen[bytes], settings: Settings) -> None:
    """Stop a process outside of its transactions on SQLite: nobody else could write as long as it sleeps in one."""
    process.send_signal(signal.SIGSTOP)
    while not settings.database and not _is_writable(settings.home / "frontier.sqlite"):
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
        process.send_signal(signal.SIGSTOP)


def _is_writable(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=0.5)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True


def end_leases(settings: Settings) -> None:
    """What a minute without renewal comes to."""
    database = open_database(settings.database_url("frontier"))
    with database.write() as connection:
        connection.execute(update(HOSTS).values(free_at=0.0))
    database.close()


def test_a_worker_that_slept_while_its_run_was_closed_ends_quietly(sites: list[str], settings: Settings, tmp_path: Path) -> None:
    run = planned(sites, settings)
    with_answers = start(run, "w", settings, tmp_path)
    wait_for_answers(run, settings, 10)
    freeze(with_answers, settings)
    end_leases(settings)
    manifest = close(run, settings)
    with_answers.send_signal(signal.SIGCONT)
    assert with_answers.wait(DEADLINE_SECONDS) == 0
    ended = read_statistics(tmp_path / "w.json")
    assert ended is not None
    assert (ended.finish_reason, ended.error) == ("closed", "")
    assert not list((settings.home / "spool").rglob("*"))
    assert open_ledger(settings).manifest(run) == manifest
    assert manifest.counts.left_over >= len(sites)

    again = plan(parse_crawl(f"seeds: [{sites[0]}/0]", "endless"), "next", settings).crawl_run
    frontier = open_frontier(settings)
    assert frontier.state(again).open_hosts == len(sites)
    frontier.close()


def test_a_run_that_is_closed_while_its_workers_end_has_all_that_they_register(
    sites: list[str], settings: Settings, tmp_path: Path
) -> None:
    """Marking a fetch as failed ends one worker and closes the run beside it; the run's own end does the same to another."""
    run = planned(sites, settings)
    workers = [start(run, worker, settings, tmp_path) for worker in ("w1", "w2")]
    wait_for_answers(run, settings, 10)
    workers[0].terminate()
    frontier = open_frontier(settings)
    frontier.stop_run(run, "budget:max_minutes")
    frontier.close()
    closed: list[Manifest] = []
    closers = [threading.Thread(target=lambda: closed.append(close(run, settings))) for _ in range(2)]
    for closer in closers:
        closer.start()
    assert [worker.wait(DEADLINE_SECONDS) for worker in workers] == [0, 0]
    for closer in closers:
        closer.join()
    assert closed == [open_ledger(settings).manifest(run)] * 2
    assert closed[0].counts.fetched >= 10
    assert len(closed[0].left_over_urls) == min(5, closed[0].counts.left_over)
    assert open_store(settings).get_bytes(f"manifests/endless/{run}.json") == closed[0].object_json()
    check_processed(settings)


def test_a_manifest_that_lacks_segments_is_completed(sites: list[str], sqlite_settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    """As an earlier release left it: the counts were taken and the segments listed before the last ones were registered."""
    manifest = crawl_once(parse_crawl(_limited(sites), "endless"), sqlite_settings)
    assert manifest.segments
    hosts = {name: host.model_copy(update=_nothing(host.due)) for name, host in manifest.statistics.hosts.items()}
    statistics = manifest.statistics.model_copy(update={"responses": 0, "bytes": 0, "latency_ms": 0, "statuses": {}, "hosts": hosts})
    counts = FetchCounts(due=manifest.counts.due, left_over=manifest.counts.due)
    wedged = manifest.model_copy(update={"segments": (), "counts": counts, "reasons": {}, "statistics": statistics})
    store, cdxj = open_store(sqlite_settings), f"cdxj/endless/{manifest.crawl_run}.cdxj"
    lines = store.get_bytes(cdxj)
    store.put_bytes(cdxj, b"")
    open_ledger(sqlite_settings).replace_manifest(wedged)

    check_processed(sqlite_settings)
    assert open_ledger(sqlite_settings).manifest(manifest.crawl_run) == manifest
    assert store.get_bytes(cdxj) == lines
    assert store.get_bytes(f"manifests/endless/{manifest.crawl_run}.json") == manifest.object_json()
    assert "was missing in its manifest is added: 1 registered segment with" in caplog.text


def _limited(sites: list[str]) -> str:
    return (
        f"seeds: {[site + '/0' for site in sites]}\nnetwork: {{allow: [127.0.0.0/8]}}\npoliteness: {{delay: 0}}\nbudgets: {{max_pages: 12}}"
    )


def _nothing(due: int) -> dict[str, object]:
    return {"responses": 0, "bytes": 0, "latency_ms": 0, "statuses": {}, "reasons": {}, "left_over": due}
