"""A change of `revisit` in a crawl's file holds for URLs that earlier runs scheduled, except for those that a person or a hint made due."""

from __future__ import annotations

import time

import pytest

from schemas.capture import UrlKind
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.outcomes import FetchOutcome, Reason
from spiders.run import close, describe_nothing_due, plan
from spiders.schedule.next_visit import after_response
from storage.frontier.frontier import open_frontier
from storage.frontier.records import FetchResult

HUB, STORY, FAILED = "https://a.example/", "https://a.example/2026/11/a-story-of-some-length-12345.html", "https://a.example/down"


def crawl(more: str = "") -> Crawl:
    return parse_crawl(f"seeds: [{HUB}, {STORY}, {FAILED}]\n{more}", "news")


def fetch_all(run: str, settings: Settings) -> None:
    """Register all URLs as fetched a minute ago, and one as failed until tomorrow."""
    frontier, now = open_frontier(settings), time.time() - 60  # a visit is remembered to some seconds
    attempt, _ = frontier.join(run, "w")
    leases = frontier.lease_hosts(run, "w", attempt, 1)
    results = []
    for url in frontier.due_urls(run, leases[0], 10):
        following = after_response(crawl().revisit, url, UrlKind.PAGE, now, changed=True, new_items=0, items=[])
        fetched = {"outcome": FetchOutcome.FETCHED, "due_at": following.due_at}
        failed = {"outcome": FetchOutcome.FAILED, "reason": Reason.TIMEOUT, "fails": 1, "due_at": now + 24 * 3600}
        became = failed if url.url == FAILED else fetched
        results.append(FetchResult(url.url_id, url.host_id, fetched_at=now, revisit=following.revisit, **became))  # type: ignore[arg-type]
    frontier.register(run, "w", leases, results)
    frontier.release(dict.fromkeys(leases, 0.0))
    frontier.leave(run, "w", attempt)
    frontier.close()
    close(run, settings)


def planned(settings: Settings, key: str, more: str) -> set[str]:
    """The URLs that the next run takes."""
    run = plan(crawl(more), key, settings).crawl_run
    frontier = open_frontier(settings)
    attempt, _ = frontier.join(run, "w")
    leases = frontier.lease_hosts(run, "w", attempt, 1)
    found = {url.url for lease in leases for url in frontier.due_urls(run, lease, 10)}
    frontier.release(dict.fromkeys(leases, 0.0))
    frontier.leave(run, "w", attempt)
    frontier.close()
    close(run, settings)
    return found


def test_shorter_intervals_make_urls_due_at_once(settings: Settings) -> None:
    fetch_all(plan(crawl(), "1", settings).crawl_run, settings)
    idle = plan(crawl(), "2", settings)
    assert describe_nothing_due(idle, settings).startswith("Nothing of news is due; next at ")
    close(idle.crawl_run, settings)
    assert planned(settings, "3", "revisit: {hubs_min: 0, hubs_max: 0}") == {HUB, STORY}  # seeds are hubs


def test_a_schedule_makes_urls_due_at_the_run_that_is_nearest_to_their_time(sqlite_settings: Settings) -> None:
    fetch_all(plan(crawl(), "1", sqlite_settings).crawl_run, sqlite_settings)
    assert HUB in planned(sqlite_settings, "2", "schedule: '@monthly'")


def test_longer_intervals_hold_too(sqlite_settings: Settings) -> None:
    fetch_all(plan(crawl(), "1", sqlite_settings).crawl_run, sqlite_settings)
    frontier = open_frontier(sqlite_settings)
    before = frontier.next_due_url("news")
    run = plan(crawl("revisit: {hubs_min: 100000, hubs_max: 100000, articles_min: 100000, articles_max: 100000}"), "2", sqlite_settings)
    after = frontier.next_due_url("news")
    frontier.close()
    assert before is not None
    assert after is not None
    assert before[1] in {HUB, STORY}
    assert after[1] == FAILED  # it waits for its own reason
    assert describe_nothing_due(run, sqlite_settings)


@pytest.mark.parametrize("more", ["", "workers: 3"])
def test_without_a_change_nothing_is_computed(sqlite_settings: Settings, more: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fetch_all(plan(crawl(), "1", sqlite_settings).crawl_run, sqlite_settings)
    monkeypatch.setattr("spiders.run.due_again", lambda *_: pytest.fail("computed"))
    plan(crawl(more), "2", sqlite_settings)
