"""A home whose name has all kinds of characters works from the crawl to the query."""

from __future__ import annotations

from pathlib import Path

import pytest

import crawlhouse
from processing.stages import process_once
from schemas.config.settings import make_settings
from storage.lake.maintenance import maintain
from tests.spiders.crawling import crawl_urls
from tests.spiders.smallserver import small_server

TEXT = " ".join(
    f"In the year {year} the harbour of the town had {year * 3} ships and a council of {year % 17} men." for year in range(1700, 1730)
)
PAGE = f"<!doctype html><html lang=en><title>The harbour</title><article><h1>The harbour of the town</h1><p>{TEXT}</p></article>"


@pytest.mark.parametrize("name", ["per%20cent ü'\"?#[x]*&=+;@:~$(a)"])
def test_a_home_of_any_name(tmp_path: Path, name: str) -> None:
    settings = make_settings(home=tmp_path / name).model_copy(update={"crawls": tmp_path})
    with small_server(lambda path, times: (404, {}, b"") if "." in path else (200, {"Content-Type": "text/html"}, PAGE.encode())) as server:
        crawl_urls(settings, [server.base + "/a%20b?c=d"])
    assert process_once("test", settings) is not None
    maintain(settings)
    rows = list(crawlhouse.open(settings.home).query("SELECT url, title FROM articles_latest"))
    assert rows == [{"url": server.base + "/a%20b?c=d", "title": "The harbour of the town"}]
    assert [path.name for path in tmp_path.iterdir()] == [name], "nothing is beside it"
