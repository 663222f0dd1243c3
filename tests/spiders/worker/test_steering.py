"""A crawl steered from outside while it runs: stopped by the command, by the quota, and by a change of its file."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from crawlhouse.pages.run import read_run
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.run import close, crawl_once, fetch, plan
from storage.frontier.admin.changes import open_frontier_admin
from storage.frontier.admin.selection import Change, Selection
from storage.frontier.frontier import open_frontier
from storage.ledger.ledger import open_ledger
from tests.crawlhouse.conftest import clean_environment, run_command
from tests.demosite import DemoSite

pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.servers_in_chaos]


def demo_crawl(site: DemoSite, extra: str = "", delay: float = 0.0, hosts: int = 2) -> Crawl:
    seeds = ", ".join(f"{base}/" for base in site.bases[:hosts])
    text = f"seeds: [{seeds}]\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: {delay}, concurrency_per_host: 4}}\n{extra}\n"
    return parse_crawl(text, "demo")


def wait_for_pages(settings: Settings, crawl_run: str, least: int) -> None:
    frontier = open_frontier(settings)
    for _ in range(600):
        if frontier.state(crawl_run).pages >= least or frontier.state(crawl_run).leased_hosts:
            break
        time.sleep(0.1)
    frontier.close()


def test_stop_ends_a_running_run_with_everything_kept(demo_site: DemoSite, settings: Settings, tmp_path: Path) -> None:
    run = plan(demo_crawl(demo_site, delay=0.2), "k", settings).crawl_run
    env = clean_environment(home=str(settings.home), database=settings.database, crawls=str(settings.crawls))
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(fetch, run, "w1", settings)
        wait_for_pages(settings, run, 1)
        time.sleep(2)
        ended = run_command("stop", "demo", env=env, cwd=tmp_path)
        assert ended.code == 0, ended.err
        statistics = worker.result()
    assert statistics.finish_reason == "stopped"
    manifest = open_ledger(settings).manifest(run)
    assert manifest.finish_reason == "stopped"
    assert manifest.counts.balanced()
    assert manifest.counts.fetched > 0
    assert manifest.counts.left_over > 0
    assert sum(segment.records for segment in manifest.segments) >= manifest.counts.fetched
    assert run_command("stop", "demo", env=env, cwd=tmp_path).code == 6


def test_a_run_whose_workers_are_gone_is_closed_by_stop(demo_site: DemoSite, sqlite_settings: Settings, tmp_path: Path) -> None:
    run = plan(demo_crawl(demo_site), "k", sqlite_settings).crawl_run
    env = clean_environment(home=str(sqlite_settings.home), crawls=str(sqlite_settings.crawls))
    ended = run_command("stop", run, env=env, cwd=tmp_path)
    assert "is closed (stopped): 0 fetched, 2 of 2 left over" in ended.err
    assert run_command("stop", "other", env=env, cwd=tmp_path).code == 3


@pytest.mark.parametrize("limits", [{"min_free_bytes": 1 << 60}, {"quota_bytes": 1}])
def test_the_quota_stops_a_run_cleanly(demo_site: DemoSite, tmp_path: Path, limits: dict[str, int]) -> None:
    settings = Settings(home=tmp_path / "home", crawls=tmp_path, **limits)
    crawl = demo_crawl(demo_site, "budgets: {max_pages: 10}")
    manifest = crawl_once(crawl, settings)
    if "quota_bytes" in limits:  # nothing was archived before the first run
        assert manifest.counts.fetched == 10
        manifest = crawl_once(crawl, settings)
    assert manifest.finish_reason == "quota"
    assert manifest.counts.fetched == 0
    assert manifest.counts.left_over == manifest.counts.due > 0
    (left_over,) = read_run(settings, manifest.crawl_run).fetch_reasons
    assert (left_over.outcome, left_over.count, left_over.urls) == ("left_over", manifest.counts.due, manifest.left_over_urls)
    assert 0 < len(left_over.urls) <= 5


@pytest.mark.chaos
def test_a_host_that_leaves_the_scope_drops_out_and_can_come_back(demo_site: DemoSite, sqlite_settings: Settings) -> None:
    once = "revisit: {hubs_max: 0, articles_min: 0, articles_max: 0}\nscope: {max_depth: 0, sitemaps: false, feeds: false}"
    both, one = demo_crawl(demo_site, once), demo_crawl(demo_site, once, hosts=1)
    assert crawl_once(both, sqlite_settings).counts.fetched == 2
    narrowed = crawl_once(one, sqlite_settings)
    assert (narrowed.counts.fetched, narrowed.reasons.get("filtered:out_of_scope")) == (1, 1)
    assert crawl_once(one, sqlite_settings).counts.due == 1
    assert crawl_once(both, sqlite_settings).counts.fetched == 2


def test_a_worker_that_joins_a_run_under_way_takes_part(demo_site: DemoSite, settings: Settings) -> None:
    run = plan(demo_crawl(demo_site, "budgets: {max_pages_per_host: 60}", delay=0.05), "k", settings).crawl_run
    frontier = open_frontier(settings)
    number, _ = frontier.join(run, "first")
    mine = frontier.lease_hosts(run, "first", number, 1)
    with ThreadPoolExecutor(1) as pool:
        second = pool.submit(fetch, run, "second", settings)
        wait_for_pages(settings, run, 1)
        frontier.release(dict.fromkeys(mine, 0.0))
        assert second.result().responses > 60  # both hosts: its own, and the one that was given back
    frontier.close()
    assert close(run, settings).counts.balanced()


def test_what_is_paused_in_a_run_is_left_by_its_worker(demo_site: DemoSite, sqlite_settings: Settings) -> None:
    crawl = demo_crawl(demo_site, "scope: {max_depth: 1, sitemaps: false, feeds: false}")
    run = plan(crawl, "k", sqlite_settings).crawl_run
    steering = open_frontier_admin(sqlite_settings)
    assert steering.change(Selection(glob=f"{demo_site.bases[1]}*"), Change.PAUSE) == 1
    fetch(run, "w1", sqlite_settings)
    manifest = close(run, sqlite_settings)
    assert manifest.finish_reason == "finished"
    assert manifest.reasons["filtered:paused"] == 1
    assert manifest.counts.balanced()
    steering.change(Selection(crawl="demo", glob=f"{demo_site.bases[1]}*"), Change.RESUME)
    again = plan(crawl, "k2", sqlite_settings).crawl_run
    frontier = open_frontier(sqlite_settings)
    assert frontier.state(again).open_hosts >= 1
    frontier.close()
