"""Runs that were never closed: the next one closes them and takes over what waited, unless somebody is still at work."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from schemas.crawl import Crawl
from schemas.crawlfile import parse_crawl
from schemas.errors import UnavailableError
from schemas.settings import Settings
from spiders import abandoned
from spiders.run import plan
from storage.frontier import open_frontier
from storage.ledger import open_ledger


def crawl() -> Crawl:
    return parse_crawl("seeds: [https://a.example/, https://b.example/]\nthresholds: {min_pages: 1}", "news")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abandoned, "SILENCE_SECONDS", 0.5)


def test_the_next_run_closes_an_abandoned_one_and_takes_what_waited_in_it(settings: Settings) -> None:
    first = plan(crawl(), "1", settings)
    second = plan(crawl(), "2", settings)
    ledger, frontier = open_ledger(settings), open_frontier(settings)
    manifest = ledger.manifest(first.crawl_run)
    assert manifest.finish_reason == "abandoned"
    assert (manifest.counts.due, manifest.counts.left_over) == (2, 2)
    assert manifest.counts.balanced()
    assert ledger.unclosed_runs("news").keys() == {second.crawl_run}
    assert frontier.state(second.crawl_run).open_hosts == 2
    frontier.close()


def test_planning_the_same_run_again_closes_nothing(settings: Settings) -> None:
    first = plan(crawl(), "1", settings)
    time.sleep(0.6)
    assert plan(crawl(), "1", settings) == first
    assert open_ledger(settings).unclosed_runs("news").keys() == {first.crawl_run}


def test_a_run_at_work_is_left_alone(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    first = plan(crawl(), "1", settings)
    frontier = open_frontier(settings)
    number, _ = frontier.join(first.crawl_run, "w1")
    assert frontier.lease_hosts(first.crawl_run, "w1", number, 1)
    time.sleep(0.6)
    second = plan(crawl(), "2", settings)
    assert list(open_ledger(settings).unclosed_runs("news")) == [first.crawl_run, second.crawl_run]
    assert frontier.state(first.crawl_run).stopping is None
    assert f"{first.crawl_run} is still at work" in caplog.text
    frontier.close()


def test_a_worker_that_was_heard_of_just_now_is_waited_for(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first = plan(crawl(), "1", sqlite_settings)
    monkeypatch.setattr(abandoned, "SILENCE_SECONDS", 1.0)
    time.sleep(1.0)
    frontier = open_frontier(sqlite_settings)
    frontier.join(first.crawl_run, "w1")
    frontier.close()
    began = time.monotonic()
    plan(crawl(), "2", sqlite_settings)
    assert time.monotonic() - began > 0.7


def test_nothing_is_planned_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    settings = Settings(home=tmp_path / "home", crawls=tmp_path, store=str(tmp_path / "store"))
    with pytest.raises(UnavailableError, match="store"):
        plan(crawl(), "1", settings)
    assert open_ledger(settings).crawl_runs() == []
