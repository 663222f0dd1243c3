"""`crawlhouse explain`: the installed command after a real crawl of the demo's site, on both databases."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from spiders.permission.robots import robots_from_response
from spiders.run import crawl_once
from storage.frontier.frontier import open_frontier
from storage.lake.takedown import KEY
from storage.objects.open import open_store
from tests.crawlhouse.conftest import Ended, clean_environment, run_command
from tests.demosite import DemoSite, demo_site

__all__ = ["demo_site"]

pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.servers_in_chaos]


def command(settings: Settings, *arguments: str) -> Ended:
    env = clean_environment(home=str(settings.home), database=settings.database, crawls=str(settings.crawls))
    return run_command("explain", *arguments, env=env, cwd=Path(settings.crawls))


def says(ended: Ended) -> dict[str, str]:
    (one,) = json.loads(ended.out)["crawls"]
    return {rule["rule"]: rule["says"] for rule in one["rules"]}


def test_rules_and_history(demo_site: DemoSite, settings: Settings) -> None:
    seed, outside = f"{demo_site.bases[0]}/", f"{demo_site.bases[1]}/news"
    settings.crawls.mkdir(parents=True)
    path = settings.crawls / "demo.yaml"
    path.write_text(
        f"seeds: ['{seed}']\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0}}\n"
        "budgets: {max_pages: 30}\nscope: {exclude: ['/nothing-here']}\n",
        encoding="utf-8",
    )
    manifest = crawl_once(read_crawl(path), settings)
    assert manifest.counts.fetched == 30
    found = json.loads(command(settings, seed, "--format", "json").out)
    (one,) = found["crawls"]
    assert (one["crawl"], found["captures"]) == ("demo", [])
    assert {rule["says"] for rule in one["rules"]} == {"allows"}
    history = one["history"]
    assert [(visit["crawl_run"], visit["outcome"], visit["status"]) for visit in history["visits"]] == [
        (manifest.crawl_run, "fetched", 200)
    ]
    assert history["capture"]["capture_filename"] in {segment.warc_key for segment in manifest.segments}
    assert history["segment_registered"] is True
    table = command(settings, seed)
    assert "In the frontier" in table.out
    assert "a day" in table.out
    assert manifest.crawl_run in table.out
    refused = {
        rule: verdict
        for rule, verdict in says(command(settings, outside, "--crawl", "demo", "--format", "json")).items()
        if verdict == "refuses"
    }
    assert refused == {"scope.hosts": "refuses"}
    assert says(command(settings, f"{seed}nothing-here", "--format", "json"))["scope.exclude"] == "refuses"
    assert command(settings, outside).code == 3
    open_store(settings).put_bytes(KEY, f"{seed}gone*\n".encode())
    assert says(command(settings, f"{seed}gone/1", "--format", "json"))["takedown"] == "refuses"


def test_before_the_first_run_the_rules_of_the_file_are_shown_and_no_home_is_made(sqlite_settings: Settings) -> None:
    sqlite_settings.crawls.mkdir(parents=True)
    (sqlite_settings.crawls / "news.yaml").write_text("seeds: ['https://a.example/']\n", encoding="utf-8")
    fresh = sqlite_settings.model_copy(update={"home": sqlite_settings.home / "none"})
    assert says(command(fresh, "https://a.example/x", "--format", "json"))["scope.hosts"] == "allows"
    assert not fresh.home.exists()


def test_a_robots_file_that_was_not_to_be_had_refuses_nothing_for_good(sqlite_settings: Settings) -> None:
    sqlite_settings.crawls.mkdir(parents=True)
    (sqlite_settings.crawls / "news.yaml").write_text("seeds: ['https://a.example/', 'https://b.example/']\n", encoding="utf-8")
    frontier = open_frontier(sqlite_settings)
    frontier.cache_robots(robots_from_response("https://a.example", 429, b"", None))
    frontier.cache_robots(robots_from_response("https://b.example", 503, b"", None))
    frontier.close()
    assert says(command(sqlite_settings, "https://a.example/", "--crawl", "news", "--format", "json"))["robots"] == "unknown"
    assert says(command(sqlite_settings, "https://b.example/", "--crawl", "news", "--format", "json"))["robots"] == "refuses"
