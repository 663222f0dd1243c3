"""A crawl file that goes while its runs go on: they end, and do not stay "running" for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from crawlhouse.demo.demo_site import start_site
from schemas.config.crawl_file import read_crawl
from storage.frontier.frontier import open_frontier
from storage.ledger.ledger import open_ledger
from tests.crawlhouse.live.livestack import live

pytestmark = [pytest.mark.airflow, pytest.mark.chaos, pytest.mark.timeout(900)]
SECONDS = 300


def _wait(is_done: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SECONDS
    while not is_done():
        assert time.monotonic() < deadline
        time.sleep(0.5)


def test_a_run_whose_crawl_file_is_gone_ends_and_is_processed(tmp_path: Path) -> None:
    with live(tmp_path) as (settings, running), running.api() as api:
        path = settings.crawls / "slow.yaml"
        path.write_text(path.read_text(encoding="utf-8").replace("min_pages: 50", "min_pages: 0"), encoding="utf-8")
        start_site(settings, *(read_crawl(settings.crawls / f"{name}.yaml") for name in ("demo", "shop")))
        ledger, frontier = open_ledger(settings), open_frontier(settings)
        api.wait_for_dag("crawl_slow", SECONDS)
        run = api.trigger("crawl_slow")
        _wait(lambda: bool(ledger.crawl_runs("slow", state="open")))
        path.unlink()
        _wait(lambda: api._call("GET", "/api/v2/dags/crawl_slow").json()["relative_fileloc"] == "unfinished.py")
        frontier.stop_run(ledger.crawl_runs("slow", state="open")[0].crawl_run, "stopped")
        assert api.wait(run, SECONDS).state == "success"
        (closed,) = ledger.crawl_runs("slow", state="closed")
        _wait(lambda: ledger.closed_unpublished("slow") == [])
        assert any(closed.crawl_run in ledger.process_run(name).crawl_runs for name in ledger.process_runs("slow"))
        ledger.close()
        frontier.close()
