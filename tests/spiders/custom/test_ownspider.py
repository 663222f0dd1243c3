"""Spiders of users: their requests go through frontier, scope, robots and archive like all others, and outlive any process."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.run import close, fetch, plan
from tests.spiders.crawling import crawl_urls, own_scope
from tests.spiders.owncrawls import STORIES, items_of, run
from tests.spiders.smallserver import Headers, SmallServer, small_server


def test_a_spider_lists_and_reads_with_arguments_and_meta(stand: SmallServer, settings: Settings) -> None:
    done = run("Stories", stand, settings)
    assert done.manifest.counts.model_dump() == {"due": 33, "fetched": 33, "denied": 0, "failed": 0, "filtered": 0, "left_over": 0}
    assert {row.url for row in done.rows if row.kind == "page"} == set(done.outcomes)
    items = items_of(done.manifest, settings)
    assert sorted(one["item"]["number"] for one in items) == list(range(STORIES))
    assert {one["item"]["listed"] for one in items} == {"zero"}
    assert all(one["item"]["title"] == f"Story {one['url'].rpartition('/')[2]}" for one in items)
    rows = {(row.warc_filename, row.warc_record_offset): row.url for row in done.rows}
    assert all(rows[(one["warc_filename"], one["warc_record_offset"])] == one["url"] for one in items)
    pages = {one.path: one.headers.get("X-Page") for one in stand.asked if "robots" not in one.path}
    assert pages["/list/0"] == "list"
    assert {pages[path] for path in pages if path != "/list/0"} == {None}


def test_the_frontier_remembers_the_callbacks_for_the_next_run(stand: SmallServer, sqlite_settings: Settings) -> None:
    at_once = "revisit: {feeds_max: 0, sitemaps_max: 0, hubs_max: 0, articles_min: 0, articles_max: 0}"
    run("Stories", stand, sqlite_settings, at_once)
    stand.asked.clear()
    again = run("Stories", stand, sqlite_settings, at_once)
    assert again.manifest.counts.fetched == 33
    assert not again.manifest.statistics.callback_errors
    assert sum(one.headers.get("If-None-Match") == '"one"' for one in stand.asked) == STORIES
    assert sorted(one["item"]["number"] for one in items_of(again.manifest, sqlite_settings)) == list(range(STORIES))  # it answers 200


def test_start_urls_are_enough(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(lambda path, times: (404, {}, b"") if "." in path else (200, {}, b"<p>Here.")) as server:
        at(server)
        done = run("StartUrls", server, sqlite_settings)
    assert sorted(one["item"]["path"] for one in items_of(done.manifest, sqlite_settings)) == ["/a", "/b"]


def test_seeds_come_to_parse_too(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    with small_server(lambda path, times: (404, {}, b"") if "." in path else (200, {}, b"<a href='/not-followed'>x</a>")) as server:
        at(server)
        done = crawl_urls(sqlite_settings, [f"{server.base}/seed"], "spider: tests.spiders.ownspiders:StartUrls")
    assert sorted(one["item"]["path"] for one in items_of(done.manifest, sqlite_settings)) == ["/a", "/b", "/seed"]
    assert done.manifest.counts.due == 3


def test_a_rule_spider_of_scrapys_own_kind(stand: SmallServer, sqlite_settings: Settings) -> None:
    done = run("Rules", stand, sqlite_settings)
    assert done.manifest.statistics.items == STORIES
    assert done.manifest.counts.fetched == 33


def test_redirects_errors_and_files(at: Callable[[SmallServer], None], sqlite_settings: Settings) -> None:
    def respond(path: str, times: int) -> tuple[int, Headers, bytes]:
        answers: dict[str, tuple[int, Headers, bytes]] = {
            "/moved": (301, {"Location": "/here"}, b""),
            "/here": (200, {"Content-Encoding": "gzip"}, gzip.compress(b"<html><p>unpacked</p></html>")),
            "/teapot": (418, {}, b"short and stout"),
            "/data.json": (200, {"Content-Type": "application/json"}, b'{"a": [1]}'),
            "/broken": (200, {"Content-Length": "100", "Connection": "close"}, b"cut off"),
        }
        return answers.get(path) or ((200, {}, b"<p>told") if path.startswith("/told") else (404, {}, b""))

    with small_server(respond) as server:
        at(server)
        done = run("Turns", server, sqlite_settings, "budgets: {max_retries: 0}")
        told = {path for path in server.paths() if path.startswith("/told")}
    assert [one["item"] for one in items_of(done.manifest, sqlite_settings) if "moved" in one["item"]] == [
        {"moved": "/here", "word": "kept", "text": "unpacked"}
    ]
    items = [one["item"] for one in items_of(done.manifest, sqlite_settings)]
    assert {"status": 418} in items
    assert {"json": {"a": [1]}, "class": "JsonResponse"} in items
    assert told == {"/told?of=/missing&as=HttpError", "/told?of=/broken&as=HttpError"}
    assert done.manifest.statistics.callback_errors == {}


@pytest.mark.chaos
def test_two_workers_share_an_own_spiders_run(stand: SmallServer, settings: Settings) -> None:
    done = run("Stories", stand, settings, "workers: 2")
    assert done.manifest.counts.fetched == 33
    assert sorted(one["item"]["number"] for one in items_of(done.manifest, settings)) == list(range(STORIES))


def test_fetching_on_a_closed_run_does_nothing(stand: SmallServer, sqlite_settings: Settings) -> None:

    text = (
        f"spider: tests.spiders.ownspiders:Stories\n{own_scope(stand.base)}\nnetwork: {{allow: [127.0.0.1/32]}}\npoliteness: {{delay: 0}}"
    )
    planned = plan(parse_crawl(text, "test"), "k", sqlite_settings)
    fetch(planned.crawl_run, "w", sqlite_settings)
    manifest = close(planned.crawl_run, sqlite_settings)
    assert close(planned.crawl_run, sqlite_settings) == manifest
    assert fetch(planned.crawl_run, "w", sqlite_settings).finish_reason == "closed"
    assert len(items_of(manifest, sqlite_settings)) == STORIES
