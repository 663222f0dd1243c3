"""Workers killed at named steps and at random moments: every page is registered exactly once, and every WARC is whole."""

import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from schemas.outcomes import Rejected
from spiders.run import close, plan
from storage.frontier.frontier import open_frontier
from storage.index.items import read_item_types, read_items
from storage.index.rows import CaptureRow, read_index
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store
from storage.warc.reader import read_records
from tests.closedruns import check_processed
from tests.demosite import DemoSite
from tests.spiders.crawling import own_scope
from tests.spiders.owncrawls import PER_PAGE, STORIES, items_of, newsstand
from tests.spiders.smallserver import small_server

pytestmark = [pytest.mark.chaos, pytest.mark.xdist_group("demo"), pytest.mark.timeout(600)]

STEPS = ["before-rotate", "before-upload", "after-upload", "inside-register", "after-register", "after-register:2"]
RANDOM_KILLS = 20
END_SECONDS = 120
SMALL_SITE_PAGES = 300


def demo_crawl(site: DemoSite) -> Crawl:
    seeds = f"seeds: [{site.bases[0]}/, {site.bases[1]}/]\n"
    return parse_crawl(seeds + "network: {allow: [127.0.0.1/32]}\npoliteness: {delay: 0, concurrency_per_host: 2}\n", "demo")


def start(run: str, worker: str, settings: Settings, folder: Path, failpoint: str = "") -> subprocess.Popen[bytes]:
    given = {f"CRAWLHOUSE_{name.upper()}": str(value) for name, value in settings.model_dump().items() if value}
    given |= {"CRAWLHOUSE_FAILPOINT": failpoint} if failpoint else {}
    command = [sys.executable, "-m", "tests.chaos.hasty_worker", "--run", run, "--worker", worker]
    return subprocess.Popen([*command, "--statistics", str(folder / f"{worker}.json")], env={**os.environ, **given}, process_group=0)


def end(process: subprocess.Popen[bytes]) -> int:
    return process.wait(END_SECONDS)


def freeze(process: subprocess.Popen[bytes], settings: Settings) -> None:
    """Stop a process; not within a transaction on SQLite, which nobody else could write to as long as it sleeps."""
    process.send_signal(signal.SIGSTOP)
    while not settings.database and not _writable(settings.home / "frontier.sqlite"):
        process.send_signal(signal.SIGCONT)
        time.sleep(0.05)
        process.send_signal(signal.SIGSTOP)


def _writable(database: Path) -> bool:
    with closing(sqlite3.connect(database, timeout=0.5)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        return True


def check(manifest: Manifest, settings: Settings, pages: int) -> list[CaptureRow]:
    """What must hold after any number of kills."""
    store = open_store(settings)
    rows = []
    for segment in manifest.segments:
        rows += list(read_index(store.get_bytes(segment.index_key)))
        with store.open(segment.warc_key) as stream:
            records = list(read_records(stream, segment.warc_key))
        assert not [record for record in records if isinstance(record, Rejected)]
        assert len(records) == segment.records
    assert manifest.counts.balanced()
    assert manifest.counts.left_over == 0
    assert manifest.counts.fetched == pages
    urls = Counter((row.url, row.request_body) for row in rows if row.kind != "robots")
    assert [url for url, count in urls.items() if count > 1] == []
    assert len(urls) == pages + manifest.reasons.get("filtered:out_of_scope", 0)  # redirects out of the crawl
    return rows


@pytest.fixture
def pages(demo_site: DemoSite, sqlite_settings: Settings, tmp_path: Path) -> int:
    """How many pages the site has, by an undisturbed run."""
    undisturbed = sqlite_settings.model_copy(update={"home": tmp_path / "undisturbed"})
    run = plan(demo_crawl(demo_site), "k", undisturbed).crawl_run
    assert end(start(run, "w", undisturbed, tmp_path)) == 0
    return close(run, undisturbed).counts.fetched


def test_killed_at_every_step(demo_site: DemoSite, settings: Settings, tmp_path: Path, pages: int) -> None:
    run = plan(demo_crawl(demo_site), "k", settings).crawl_run
    died = [end(start(run, "w", settings, tmp_path, step)) for step in STEPS]
    assert died == [-signal.SIGKILL] * len(STEPS)
    assert end(start(run, "w", settings, tmp_path)) == 0
    check(close(run, settings), settings, pages)
    assert not [path for path in (settings.home / "spool").rglob("*") if path.is_file()]


def test_killed_at_random_moments(demo_site: DemoSite, settings: Settings, tmp_path: Path, pages: int) -> None:
    dice = random.Random(7)
    run = plan(demo_crawl(demo_site), "k", settings).crawl_run
    for _ in range(RANDOM_KILLS):
        process = start(run, "w", settings, tmp_path)
        time.sleep(dice.uniform(0.8, 2.5))
        process.kill()
        end(process)
    assert end(start(run, "w", settings, tmp_path)) == 0
    check(close(run, settings), settings, pages)


def test_two_workers_of_which_one_dies_again_and_again(demo_site: DemoSite, settings: Settings, tmp_path: Path, pages: int) -> None:
    dice = random.Random(11)
    run = plan(demo_crawl(demo_site), "k", settings).crawl_run
    steady = start(run, "steady", settings, tmp_path)
    for _ in range(4):
        dying = start(run, "dying", settings, tmp_path)
        time.sleep(dice.uniform(1.0, 2.5))
        dying.kill()
        end(dying)
    last = start(run, "dying", settings, tmp_path)
    assert (end(steady), end(last)) == (0, 0)
    check(close(run, settings), settings, pages)


def test_a_zombie_registers_nothing(demo_site: DemoSite, settings: Settings, tmp_path: Path, pages: int) -> None:
    run = plan(demo_crawl(demo_site), "k", settings).crawl_run
    zombie = start(run, "w", settings, tmp_path)
    time.sleep(2.0)
    freeze(zombie, settings)
    assert end(start(run, "w", settings, tmp_path / "..")) == 0
    zombie.send_signal(signal.SIGCONT)
    assert end(zombie) in {0, 6}
    check(close(run, settings), settings, pages)
    check_processed(settings)


def test_sigterm_stores_what_was_fetched_and_ends_soon(demo_site: DemoSite, settings: Settings, tmp_path: Path, pages: int) -> None:
    run = plan(demo_crawl(demo_site), "k", settings).crawl_run
    process = start(run, "w", settings, tmp_path)
    ledger = open_ledger(settings)
    while not ledger.segments(run):
        time.sleep(0.2)
    begin = time.monotonic()
    process.terminate()
    assert end(process) == 0
    assert time.monotonic() - begin < 10
    assert end(start(run, "w", settings, tmp_path)) == 0
    check(close(run, settings), settings, pages)


def is_page(path: str) -> bool:
    return path == "/" or path.startswith("/page/")


def test_a_kill_costs_at_most_what_was_not_registered(settings: Settings, tmp_path: Path) -> None:
    """Counted by the server: what is asked for again after each kill was in the open segment, or under way."""
    links = "".join(f"<a href='/page/{number}'>{number}</a>" for number in range(SMALL_SITE_PAGES))

    def respond(path: str, times: int) -> tuple[int, dict[str, str], bytes]:
        time.sleep(0.005)
        return (404, {}, b"") if path == "/robots.txt" else (200, {}, f"<p>This is {path}.{links if path == '/' else ''}".encode())

    with small_server(respond) as server:
        crawl = parse_crawl(f"seeds: [{server.base}/]\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0}}\n", "small")
        run = plan(crawl, "k", settings).crawl_run
        frontier = open_frontier(settings)
        open_at_kills = 0
        for kill in range(1, 4):
            process = start(run, "w", settings, tmp_path)
            while len(set(server.paths())) < kill * SMALL_SITE_PAGES // 5:
                time.sleep(0.02)
            process.kill()
            end(process)
            open_at_kills += len({path for path in server.paths() if is_page(path)}) - frontier.state(run).pages
        frontier.close()
        assert end(start(run, "w", settings, tmp_path)) == 0
        manifest = close(run, settings)
        asked = Counter(path for path in server.paths() if is_page(path))
    check(manifest, settings, SMALL_SITE_PAGES + 1)
    assert len(asked) == SMALL_SITE_PAGES + 1
    again = asked.total() - len(asked)
    assert again <= open_at_kills
    assert again < SMALL_SITE_PAGES / 2


def test_the_callbacks_of_an_own_spider_survive(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every story comes back to its callback with its arguments, and every item is kept once, whatever was killed when.

    The list's pages are POSTs to one URL.
    """
    with small_server(slow_newsstand, post=slow_api) as server:
        monkeypatch.setenv("OWN_SPIDER_BASE", server.base)
        polite = "network: {allow: [127.0.0.1/32]}\npoliteness: {delay: 0}"
        crawl = parse_crawl(f"spider: tests.spiders.ownspiders:PostedStories\n{own_scope(server.base)}\n{polite}", "stories")
        run = plan(crawl, "k", settings).crawl_run
        died = [end(start(run, "w", settings, tmp_path, step)) for step in STEPS]
        for seconds in (1.3, 1.6, 1.9):
            process = start(run, "w", settings, tmp_path)
            time.sleep(seconds)
            process.kill()
            end(process)
        assert died == [-signal.SIGKILL] * len(STEPS)
        assert end(start(run, "w", settings, tmp_path)) == 0
        manifest = close(run, settings)
    check(manifest, settings, STORIES + STORIES // PER_PAGE)
    assert manifest.statistics.callback_errors == {}
    items = items_of(manifest, settings)
    assert sorted(one["item"]["number"] for one in items) == list(range(STORIES))
    assert {one["item"]["listed"] for one in items} == {"zero"}
    stored = list(read_items(manifest.crawl, run, manifest.segments, open_store(settings)))
    assert [one.item for one in stored] == [one["item"] for one in items]  # the run's object has the registered segments' items, no others
    assert sum(segment.items for segment in manifest.segments) == STORIES
    assert {(one.type, one.position) for one in stored} == {("Story", 0)}
    warc_keys = {segment.warc_key for segment in manifest.segments if segment.items}
    assert {one.warc_filename for one in stored} == warc_keys
    assert [one.name for one in read_item_types(manifest.crawl, run, open_store(settings)).types] == ["Story"]
    assert not [path for path in (settings.home / "spool").rglob("*") if path.is_file()]


def slow_newsstand(path: str, times: int) -> tuple[int, dict[str, str], bytes]:
    time.sleep(0.03)
    return newsstand(path, times)


def slow_api(path: str, body: bytes, times: int) -> tuple[int, dict[str, str], bytes]:
    return slow_newsstand(f"{path}/{json.loads(body)['page']}", times)
