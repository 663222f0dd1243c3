"""`crawlhouse frontier`: the installed command on a real frontier, on both databases, while a worker holds a host."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest

from schemas.config.crawl import Crawl, Seed
from schemas.config.settings import Settings
from schemas.outcomes import FetchOutcome, Reason
from schemas.runs import CrawlRun
from storage.frontier.frontier import Frontier, open_frontier
from storage.frontier.records import Discovery, FetchResult
from tests.crawlhouse.conftest import Ended, clean_environment, run_command

pytestmark = pytest.mark.servers_in_chaos

URLS = ("https://a.example/", "https://a.example/news/1", "https://a.example/tag/x", "https://b.example/")
CRAWL = Crawl(name="news", seeds=(Seed(url=URLS[0]),))
Command = Callable[..., Ended]


@pytest.fixture
def command(settings: Settings, tmp_path: Path) -> Command:
    def run(*arguments: str) -> Ended:
        env = clean_environment(home=str(settings.home), database=settings.database, crawls=str(settings.crawls))
        return run_command(*arguments, env=env, cwd=tmp_path)

    return run


@pytest.fixture
def frontier(settings: Settings) -> Iterator[Frontier]:
    frontier = open_frontier(settings)
    yield frontier
    frontier.close()


def plan(frontier: Frontier, key: str, *urls: str) -> str:
    run = CrawlRun(f"news-{key}", CRAWL, key, datetime.now(UTC), "1", "hash")
    return frontier.plan(run, [Discovery(url) for url in urls]).crawl_run


def states(command: Command, *arguments: str) -> dict[str, int]:
    listed = json.loads(command("frontier", "list", "--format", "json", *arguments).out)
    return {entry["state"]: entry["urls"] for entry in listed["counts"]}


def test_lists_in_three_forms(command: Command, frontier: Frontier) -> None:
    run = plan(frontier, "1", *URLS)
    number, _ = frontier.join(run, "w1")
    frontier.lease_hosts(run, "w1", number, 1)
    table = command("frontier", "list", "--rows", "3")
    assert table.code == 0
    assert sum(url in table.out.split() for url in URLS) == 3
    assert "4 URLs" in table.out
    assert "The first 3 URLs" in table.err
    found = json.loads(command("frontier", "list", "--host", "a.example", "--format", "json").out)
    assert found["counts"] == [{"crawl": "news", "state": "waiting", "urls": 3}]
    assert {(row["url"], row["worker"]) for row in found["urls"]} == {(url, "w1") for url in URLS[:3]}
    lines = command("frontier", "list", "--host", "a.example", "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == found["urls"]
    rows = list(csv.DictReader(StringIO(command("frontier", "list", "--glob", "https://?.example/", "--format", "csv").out)))
    assert {row["url"] for row in rows} == {URLS[0], URLS[3]}


def test_a_pause_under_a_working_lease_keeps_the_books(command: Command, frontier: Frontier) -> None:
    run = plan(frontier, "1", *URLS)
    number, _ = frontier.join(run, "w1")
    lease, other = frontier.lease_hosts(run, "w1", number, 2)
    assert "1 URL paused" in command("frontier", "pause", "--regex", "/tag/").err
    assert "1 URL dropped" in command("frontier", "drop", "--host", "b.example").err
    due = frontier.due_urls(run, lease, 10) + frontier.due_urls(run, other, 10)
    held = {url.url: url.held for url in due}
    assert held == {URLS[0]: None, URLS[1]: None, URLS[2]: "paused", URLS[3]: "dropped"}
    marks = [
        FetchResult(url.url_id, url.host_id, FetchOutcome.FILTERED, Reason(url.held), due_at=0.0)
        if url.held
        else FetchResult(url.url_id, url.host_id, FetchOutcome.FAILED, Reason.TIMEOUT)
        for url in due
    ]
    frontier.register(run, "w1", [lease, other], marks)  # the lease held all the while
    frontier.release({lease: 0.0, other: 0.0})
    counts, reasons = frontier.begin_close(run)
    assert counts.balanced()
    assert reasons == {"filtered:paused": 1, "filtered:dropped": 1, "failed:timeout": 2}
    assert states(command) == {"finished": 2, "paused": 1, "dropped": 1}
    assert "2 URLs due" in command("frontier", "retry", "--outcome", "failed").err
    assert "1 URL resumed" in command("frontier", "resume", "--crawl", "news").err
    assert states(command) == {"due": 3, "dropped": 1}


def test_what_is_held_is_not_planned_and_a_dropped_url_can_come_back(command: Command, frontier: Frontier) -> None:
    first = plan(frontier, "1", *URLS)
    command("frontier", "drop", "--glob", "*")
    command("frontier", "retry", "--glob", "*")  # waiting in a run: left as it is
    number, _ = frontier.join(first, "w1")
    leases = frontier.lease_hosts(first, "w1", number, 2)
    due = [url for lease in leases for url in frontier.due_urls(first, lease, 10)]
    assert [url.held for url in due] == ["dropped"] * 4
    frontier.register(first, "w1", leases, [FetchResult(url.url_id, url.host_id, FetchOutcome.FILTERED, Reason.DROPPED) for url in due])
    assert frontier.state(plan(frontier, "2", *URLS)).open_hosts == 0
    command("frontier", "retry", "--host", "b.example")
    assert frontier.state(plan(frontier, "3")).open_hosts == 1


@pytest.mark.parametrize("arguments", [("pause",), ("drop", "--regex", "(")])
def test_a_change_without_a_selection_is_refused(command: Command, frontier: Frontier, arguments: tuple[str, ...]) -> None:
    plan(frontier, "1", *URLS)
    ended = command("frontier", *arguments)
    assert ended.code == 2
    assert states(command) == {"waiting": 4}
