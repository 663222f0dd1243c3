"""Hostile answers cost themselves: they are read in killable processes, and the run goes on beside them."""

from __future__ import annotations

import os
import subprocess
import sys

import psutil

from schemas.crawlfile import parse_crawl
from schemas.manifest import Manifest
from schemas.settings import Settings
from spiders.run import close, plan
from storage.captureindex import read_index
from storage.objects import open_store
from tests.spiders.crawling import LOOPBACK, outcomes
from tests.spiders.smallserver import Headers, small_server

PAGE = b"<!DOCTYPE html><title>t</title><p>text <a href='/next'>next</a>"
QUICK = "politeness: {delay: 0, concurrency_per_host: 8}\nbudgets: {max_retries: 0}"
BROKEN = {"raises": "page_crash", "spins": "page_timeout", "sleeps": "page_timeout", "eats": "page_memory", "crashes": "page_crash"}


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
    return [child for child in psutil.Process(worker).children() if any("readerprocess" in word for word in _words(child))]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


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
