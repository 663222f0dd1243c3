"""Workers on machines whose clocks differ: leases are compared by the database's clock, and a wrong clock is reported."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

import pytest

from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.errors import ClockError
from schemas.runs import CrawlRun
from spiders.run import plan
from storage.database.clock import REFUSE_SECONDS, check_clock
from storage.frontier.frontier import open_frontier
from storage.frontier.leasing import LEASE_SECONDS
from storage.frontier.records import Discovery
from storage.ledger.ledger import open_ledger

CRAWL = Crawl(name="news", seeds=(Seed(url="https://a.example/"),))


def put_clock(monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    """Set this machine's clock so many seconds ahead."""
    true = time.time
    monkeypatch.setattr(time, "time", lambda: true() + ahead)


@pytest.fixture
def server(postgres_url: str, sqlite_settings: Settings) -> Settings:
    return sqlite_settings.model_copy(update={"database": postgres_url})


@pytest.mark.parametrize("ahead", [LEASE_SECONDS * 1.5, -LEASE_SECONDS * 1.5])
def test_a_worker_whose_clock_is_wrong_takes_no_live_host(server: Settings, monkeypatch: pytest.MonkeyPatch, ahead: float) -> None:
    frontier = open_frontier(server)
    run = frontier.plan(CrawlRun("news-1", CRAWL, "1", datetime.now(UTC), "1", "hash"), [Discovery("https://a.example/")]).crawl_run
    number, _ = frontier.join(run, "right")
    (lease,) = frontier.lease_hosts(run, "right", number, 10)
    put_clock(monkeypatch, ahead)
    other, _ = frontier.join(run, "wrong")
    assert frontier.lease_hosts(run, "wrong", other, 10) == []
    assert frontier.state(run).leased_hosts == 1
    frontier.release({lease: 0.0})
    assert frontier.lease_hosts(run, "wrong", other, 10)
    monkeypatch.undo()
    assert frontier.lease_hosts(run, "right", number, 10) == []  # nor is a host that the wrong one holds
    assert open_ledger(server).unclosed_runs("news")[run].silent_seconds < LEASE_SECONDS
    frontier.close()


def test_a_clock_that_is_wrong_by_a_minute_is_refused_before_anything_is_planned(server: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    put_clock(monkeypatch, REFUSE_SECONDS + 30)
    with pytest.raises(ClockError, match=r"clock is (89|90) s ahead of the database server's.*NTP"):
        plan(CRAWL, "1", server)
    assert open_ledger(server).crawl_runs() == []


@pytest.mark.parametrize(("ahead", "words"), [(20.0, r"(19|20) s ahead of"), (-20.0, r"(19|20|21) s behind")])
def test_a_smaller_difference_is_reported(
    server: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, ahead: float, words: str
) -> None:
    check_clock(server)
    assert caplog.text == ""
    put_clock(monkeypatch, ahead)
    check_clock(server)

    assert re.search(f"This machine's clock is {words}", caplog.text)


def test_with_a_file_the_machine_has_the_only_clock(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    put_clock(monkeypatch, 1000.0)
    check_clock(sqlite_settings)
