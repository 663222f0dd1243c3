"""POSTs and GETs of the same URL by a user's spider: in the lake, and in the commands for URLs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from processing.stages import process_once
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from spiders.run import crawl_once
from storage.lake.query import connect
from tests.crawlhouse.conftest import clean_environment, run_command
from tests.spiders.crawling import LOOPBACK, own_scope
from tests.spiders.custom.test_ownposts import PAGES, shop, till
from tests.spiders.smallserver import small_server


def said(settings: Settings, *arguments: str) -> str:
    ended = run_command(*arguments, env=clean_environment(home=str(settings.home), crawls=str(settings.crawls)), cwd=settings.crawls)
    assert ended.code == 0, ended.err
    return ended.out


def test_what_was_sent_is_shown_beside_the_url(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = sqlite_settings
    with small_server(shop, post=till) as server:
        monkeypatch.setenv("OWN_SPIDER_BASE", server.base)
        settings.crawls.mkdir()
        path = Path(settings.crawls) / "test.yaml"
        scope = own_scope(server.base)
        path.write_text(f"spider: tests.spiders.ownspiders:Search\n{scope}\n{LOOPBACK}\npoliteness: {{delay: 0}}\n", encoding="utf-8")
        crawl_once(read_crawl(path), settings)
    url, sent = f"{server.base}/api", {f'POST {{"page": {page}}}' for page in range(PAGES)}
    (one,) = json.loads(said(settings, "explain", url, "--format", "json"))["crawls"]
    assert one["history"]["request"] == "GET"
    assert {post["request"] for post in one["posts"]} == sent
    listed = json.loads(said(settings, "frontier", "list", "--glob", url, "--format", "json"))["urls"]
    assert sorted(row["request"] for row in listed) == ["GET", *sorted(sent)]
    assert f'POST {url} {{"page": 2}}' in said(settings, "frontier", "list", "--glob", url).replace("\n", "")

    report = process_once("test", settings)
    assert report is not None
    assert report.records == report.rejected == 8  # robots.txt and tdmrep.json too
    rows = connect(settings).execute("SELECT request_method, request_body, outcome FROM captures WHERE url = ?", [url]).fetchall()
    assert sorted(rows, key=str) == [("POST", f"page={page}", "rejected") for page in range(PAGES)] + [(None, None, "rejected")]
    explained = json.loads(said(settings, "explain", url, "--format", "json"))["captures"]
    assert sorted(str(one["request_body"]) for one in explained) == ["None", *(f"page={page}" for page in range(PAGES))]
    assert "asked for by POST" in said(settings, "explain", url)
    assert "POST" in said(settings, "show", url)
