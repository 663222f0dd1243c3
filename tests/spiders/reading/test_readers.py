"""Hostile answers cost themselves: they are read in killable processes, and the run goes on beside them."""

from __future__ import annotations

import gzip
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import CrawlhouseError
from schemas.manifest import Manifest
from schemas.outcomes import Reason
from spiders import worker_process as process
from spiders.run import close, fetch, plan
from storage.index.rows import read_index
from storage.objects.open import open_store
from tests.spiders.crawling import LOOPBACK, crawl_urls, outcomes, own_scope
from tests.spiders.smallserver import Headers, SmallServer, small_server

PAGE = b"<!DOCTYPE html><title>t</title><p>text <a href='/next'>next</a>"
QUICK = "politeness: {delay: 0, concurrency_per_host: 8}\nbudgets: {max_retries: 0}"
BROKEN = {
    "raises": "page_crash",
    "spins": "page_timeout",
    "sleeps": "page_timeout",
    "eats": "page_memory",
    "crashes": "page_crash",
    "forges": "page_crash",
}


def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
    return (404 if "." in path else 200), {}, PAGE


def start_worker(run: str, settings: Settings, module: str = "spiders.worker", **environment: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", module, "--run", run, "--worker", "w1", "--statistics", str(settings.home / "w1.json")]
    given = {**os.environ, "CRAWLHOUSE_HOME": str(settings.home), **environment}
    return subprocess.Popen(command, env=given, process_group=0)


def planned(settings: Settings, urls: list[str], extra: str = QUICK) -> str:
    return plan(parse_crawl(f"seeds: {urls}\n{LOOPBACK}\n{extra}", "test"), "key", settings).crawl_run


def archived(manifest: Manifest, settings: Settings) -> list[str]:
    store = open_store(settings)
    return sorted(row.url for segment in manifest.segments for row in read_index(store.get_bytes(segment.index_key)))


def readers_of(worker: int) -> list[psutil.Process]:
    return psutil.Process(worker).children()


@pytest.mark.chaos
def test_answers_that_break_their_reader_cost_their_urls_alone(sqlite_settings: Settings) -> None:
    """Each of them failed with its reason and is archived; the pages between them are read, and what they link to is found."""
    with small_server(respond) as server:
        bad = {f"{server.base}/{name}": f"failed:{reason}" for name, reason in BROKEN.items()}
        run = planned(sqlite_settings, [*bad, server.base + "/page"])
        worker = start_worker(run, sqlite_settings, "tests.spiders.broken_worker")
        assert worker.wait(90) == 0
        manifest = close(run, sqlite_settings)
    assert outcomes(sqlite_settings) == {**bad, server.base + "/page": "fetched", server.base + "/next": "fetched"}
    assert set(archived(manifest, sqlite_settings)) >= bad.keys()
    assert manifest.counts.balanced()


def until(holds: Callable[[], object], seconds: float = 60.0) -> None:
    """Waits until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.chaos
def test_a_reader_that_is_killed_is_replaced_and_its_answer_read_again(sqlite_settings: Settings) -> None:
    """Whoever killed it, the answer that it was at had nothing to do with it, unless it happens again."""
    with small_server(respond) as server:
        run = planned(sqlite_settings, [server.base + "/sleeps-forever", server.base + "/page"])
        worker = start_worker(run, sqlite_settings, "tests.spiders.broken_worker")
        try:
            until(lambda: readers_of(worker.pid) and any(one.path == "/page" for one in server.asked))
            time.sleep(1)
            for reader in readers_of(worker.pid):
                with suppress(psutil.NoSuchProcess):
                    reader.kill()
            assert worker.wait(60) == 0
        finally:
            worker.kill()
        close(run, sqlite_settings)
    became = outcomes(sqlite_settings)
    assert became.pop(server.base + "/sleeps-forever").startswith("failed:page_")
    assert set(became.values()) == {"fetched"}


@pytest.mark.chaos
def test_sigterm_ends_a_worker_whose_readers_are_busy(sqlite_settings: Settings) -> None:
    with small_server(respond) as server:
        run = planned(sqlite_settings, [f"{server.base}/spins-{number}" for number in range(6)] + [server.base + "/page"])
        worker = start_worker(run, sqlite_settings, "tests.spiders.broken_worker")
        try:
            until(lambda: len(server.asked) >= 7 and len(readers_of(worker.pid)) >= 2)
            readers = readers_of(worker.pid)
            worker.terminate()
            assert worker.wait(30) == 0
            assert not any(reader.is_running() for reader in readers)
        finally:
            worker.kill()
            worker.wait()
    assert close(run, sqlite_settings).counts.balanced()


@pytest.mark.chaos
def test_a_loop_that_stands_still_is_ended_and_its_url_left_out_the_third_time(
    at: Callable[[SmallServer], None], sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "SILENCE_SECONDS", 4.0)
    monkeypatch.setattr(process, "END_SECONDS", 1.0)
    with small_server(respond) as server:
        at(server)
        text = f"spider: tests.spiders.ownspiders:Blocking\n{own_scope(server.base)}\npoliteness: {{delay: 0}}\n{LOOPBACK}"
        run = plan(parse_crawl(text, "test"), "key", sqlite_settings).crawl_run
        for _ in range(2):
            with pytest.raises(CrawlhouseError, match="event loop of the fetch worker w1 did not run"):
                fetch(run, "w1", sqlite_settings)
        fetch(run, "w1", sqlite_settings)
        assert close(run, sqlite_settings).counts.balanced()
        became = outcomes(sqlite_settings)
        assert became.pop(server.base + "/block") == f"failed:{Reason.PAGE_CRASH}"
        assert set(became.values()) == {"fetched"}
        assert [one.path for one in server.asked].count("/block") == 2


@pytest.mark.chaos
def test_sigterm_ends_a_crawl_whose_worker_does_not(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    """As `crawlhouse crawl` does it: the worker is waited for in another thread than the one that gets the signal."""
    with small_server(respond) as server:
        at(server)
        folder = sqlite_settings.home / "crawls"
        folder.mkdir(parents=True)
        text = f"spider: tests.spiders.ownspiders:Blocking\n{own_scope(server.base)}\npoliteness: {{delay: 0}}\n{LOOPBACK}"
        (folder / "test.yaml").write_text(text)
        given = {**os.environ, "CRAWLHOUSE_HOME": str(sqlite_settings.home), "CRAWLHOUSE_CRAWLS": str(folder)}
        crawl = subprocess.Popen([str(Path(sys.executable).with_name("crawlhouse")), "crawl", "test"], env=given)
        try:
            until(lambda: any(one.path == "/block" for one in server.asked))
            time.sleep(1)
            crawl.send_signal(signal.SIGTERM)
            assert crawl.wait(60) == 128 + signal.SIGTERM
        finally:
            crawl.kill()
            crawl.wait()


@pytest.mark.chaos
def test_hostile_answers_beside_a_neighbour(sqlite_settings: Settings) -> None:
    """Large ones of many kinds at once: the neighbour is served, and the worker's memory keeps within a bound."""
    kinds = {
        "/tags": b"<html><body>" + b"<div/>" * 500_000,
        "/other-tags": b"<html><body>" + b"<div></x>" * 300_000,
        "/links": b"<html><body>" + b"".join(b"<a href=/l/%d>x</a>" % number for number in range(50_000)),
        "/members": gzip.compress(b"", mtime=0) * 60_000,
        "/feed": b"<rss><channel>" + b"<item><link>/f</link></item>" * 60_000 + b"</channel></rss>",
        "/sitemap": b"<urlset>" + b"<a/>" * 1_000_000,
        "/ebcdic": b"<?xml version='1.0' encoding='cp037'?><rss" + b"%" * 1_000_000 + b"\x4c\x99\x6e",
        "/entities": b"<!DOCTYPE rss [" + b"\n<!ENTITY" * 200_000 + b"<rss></rss>",
    }
    packed = {path: gzip.compress(body, 1, mtime=0) for path, body in kinds.items()}

    def hostile(path: str, times: int) -> tuple[int, Headers, bytes]:
        found = packed.get(path)
        return (404, {}, b"") if found is None else (200, {"Content-Encoding": "gzip"}, found)

    def good(path: str, times: int) -> tuple[int, Headers, bytes]:
        links = b"".join(b"<a href='/%d'>x</a>" % number for number in range(1, 100)) if path == "/0" else b""
        return (200, {}, PAGE + links) if path.strip("/").isdigit() else (404, {}, b"")

    with small_server(hostile) as bad, small_server(good) as neighbour:
        urls = [bad.base + path for path in kinds]
        extra = "budgets: {max_retries: 0, max_minutes: 4}\nscope: {max_depth: 100}"
        done = crawl_urls(sqlite_settings, [*urls, neighbour.base + "/0"], extra, "delay: 0, concurrency_per_host: 16")
        assert [done.outcomes[f"{neighbour.base}/{number}"] for number in range(100)] == ["fetched"] * 100
        assert {done.outcomes[url].removesuffix(":page_timeout").removesuffix(":page_memory") for url in urls} <= {"fetched", "failed"}
        assert {row.url for row in done.rows} >= set(urls)
        assert done.manifest.statistics.max_memory_bytes < 400_000_000


def test_large_robots_files_are_judged_by_a_reader(sqlite_settings: Settings) -> None:
    """One that can be parsed in time is obeyed, even with thousands of agents; one that cannot forbids everything on its host alone."""
    filling = b"".join(b"Disallow: /x/%d\n" % number for number in range(3_000))
    sound = b"User-agent: *\nDisallow: /no\n" + filling + b"Sitemap: /listed.xml\n"
    agents = b"".join(b"User-agent: a%d\n" % number for number in range(15_000)) + filling + filling + b"User-agent: *\nAllow: /\n"
    endless = b"# spins\n" + sound

    def site(robots: bytes) -> Callable[[str, int], tuple[int, Headers, bytes]]:
        return lambda path, times: (200, {}, robots) if path == "/robots.txt" else (404 if "." in path else 200, {}, PAGE)

    with small_server(site(sound)) as one, small_server(site(endless)) as other, small_server(site(agents)) as third:
        run = planned(
            sqlite_settings, [one.base + "/page", one.base + "/no", one.base + "/x/7", other.base + "/page", third.base + "/page"]
        )
        assert start_worker(run, sqlite_settings, "tests.spiders.broken_worker").wait(90) == 0
        close(run, sqlite_settings)
        assert "/listed.xml" in one.paths()
    assert outcomes(sqlite_settings) == {
        one.base + "/page": "fetched",
        one.base + "/next": "fetched",
        one.base + "/listed.xml": "fetched",
        one.base + "/no": "denied:robots",
        one.base + "/x/7": "denied:robots",
        other.base + "/page": "denied:robots_unreachable",
        third.base + "/page": "fetched",
        third.base + "/next": "fetched",
    }
