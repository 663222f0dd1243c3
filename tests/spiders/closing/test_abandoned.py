"""Runs that were never closed: the next one closes them and takes over what waited, unless somebody is still at work."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.errors import UnavailableError
from spiders.closing import abandoned
from spiders.closing.abandoned import SILENCE_SECONDS, UNJOINED_SECONDS, abandoned_runs
from spiders.run import plan
from storage.frontier.frontier import open_frontier
from storage.frontier.leasing import LEASE_SECONDS
from storage.ledger.ledger import open_ledger

LIFE_SECONDS = 24 * 3600.0


def crawl() -> Crawl:
    return parse_crawl("seeds: [https://a.example/, https://b.example/]\nthresholds: {min_pages: 1}", "news")


class Clock:
    """So many seconds after now; it ticks with every look."""

    def __init__(self, later: float, ticks: float = 0.0) -> None:
        self.now = time.time() + later
        self._ticks = ticks

    def __call__(self) -> float:
        self.now += self._ticks
        return self.now


def test_the_next_run_closes_an_abandoned_one_and_takes_what_waited_in_it(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first = plan(crawl(), "1", settings)
    monkeypatch.setattr(abandoned, "UNJOINED_SECONDS", -LIFE_SECONDS)
    monkeypatch.setattr(abandoned, "SILENCE_SECONDS", -LIFE_SECONDS)
    second = plan(crawl(), "2", settings)
    ledger, frontier = open_ledger(settings), open_frontier(settings)
    manifest = ledger.manifest(first.crawl_run)
    assert manifest.finish_reason == "abandoned"
    assert (manifest.counts.due, manifest.counts.left_over) == (2, 2)
    assert manifest.counts.balanced()
    assert ledger.unclosed_runs("news").keys() == {second.crawl_run}
    assert frontier.state(second.crawl_run).open_hosts == 2
    frontier.close()


def test_planning_the_same_run_again_closes_nothing(sqlite_settings: Settings) -> None:
    first = plan(crawl(), "1", sqlite_settings)
    assert abandoned_runs("news", "1", sqlite_settings, Clock(LIFE_SECONDS)) == []
    assert plan(crawl(), "1", sqlite_settings) == first


def test_a_run_that_waits_for_its_first_worker_has_half_an_hour(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    first = plan(crawl(), "1", settings).crawl_run
    assert abandoned_runs("news", "2", settings, Clock(UNJOINED_SECONDS - 30)) == []
    assert f"No worker has joined {first} yet" in caplog.text
    assert abandoned_runs("news", "2", settings, Clock(UNJOINED_SECONDS + 30)) == [first]


def test_a_run_at_work_is_left_alone(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    first = plan(crawl(), "1", settings).crawl_run
    frontier = open_frontier(settings)
    number, _ = frontier.join(first, "w1")
    assert frontier.lease_hosts(first, "w1", number, 1)
    assert abandoned_runs("news", "2", settings, Clock(LEASE_SECONDS - 10)) == []
    assert frontier.state(first).stopping is None
    assert f"Workers are still fetching in {first}" in caplog.text
    assert abandoned_runs("news", "2", settings, Clock(LEASE_SECONDS + 10)) == [first]
    frontier.close()


def test_a_worker_that_was_heard_of_just_now_is_waited_for(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    first = plan(crawl(), "1", sqlite_settings).crawl_run
    monkeypatch.setattr(abandoned, "POLL_SECONDS", 0.0)
    frontier = open_frontier(sqlite_settings)
    began = time.time()
    frontier.join(first, "w1")
    frontier.close()
    clock = Clock(0.0, ticks=1.0)
    assert abandoned_runs("news", "2", sqlite_settings, clock) == [first]
    assert clock.now - began > SILENCE_SECONDS


def test_nothing_is_planned_where_nothing_can_be_kept(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file", encoding="utf-8")
    settings = Settings(home=tmp_path / "home", crawls=tmp_path, store=str(tmp_path / "store"))
    with pytest.raises(UnavailableError, match="store"):
        plan(crawl(), "1", settings)
    assert open_ledger(settings).crawl_runs() == []
