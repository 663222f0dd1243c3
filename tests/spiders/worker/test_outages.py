"""The store and the database go away while a crawl is fetched, processed and erased: all of it is done, and nothing is fetched twice."""

from __future__ import annotations

import io
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from processing.erase.erasing import erase
from processing.resources import open_resources
from processing.stages import process_once
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.run import crawl_once
from storage.outages import patience, wait_out
from tests.spiders.crawling import LOOPBACK
from tests.spiders.sharedhosts import respond
from tests.spiders.smallserver import Headers, small_server
from tests.storage.outage import database_behind, store_behind

PAGES, AWAY_SECONDS = 20, 5.0


@pytest.mark.chaos
@pytest.mark.timeout(240)
def test_outages_are_waited_for(s3_settings: Settings, postgres_url: str) -> None:
    asked: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory(prefix="crawlhouse-outage-") as folder,
        database_behind(postgres_url, Path(folder)) as (database, database_url),
        store_behind(s3_settings.s3_endpoint) as (store, endpoint),
    ):

        def answer(path: str, times: int) -> tuple[int, Headers, bytes]:
            asked[path] += 1
            if path == f"/{PAGES // 2}":
                database.cut(AWAY_SECONDS)
            if path == f"/{PAGES - 1}":
                store.cut(AWAY_SECONDS)
            return (404, {}, b"") if path == "/robots.txt" else respond(path, times)

        settings = s3_settings.model_copy(update={"database": database_url, "s3_endpoint": endpoint})
        with small_server(answer) as server:
            seeds = [f"{server.base}/{page}" for page in range(PAGES)]
            crawl = parse_crawl(f"seeds: {seeds}\nscope: {{sitemaps: false}}\n{LOOPBACK}\npoliteness: {{delay: 0.1}}\n", "small")
            log = io.StringIO()
            manifest = crawl_once(crawl, settings, log_to=log)
        assert (database.cut_count, store.cut_count) == (1, 1)
        assert manifest.counts.fetched == PAGES
        assert {path: asked[path] for path in asked if asked[path] > 1} == {}
        assert "Waiting for it, up to 60 s." in log.getvalue()
        assert "The outage is over" in log.getvalue()  # that of the store may have been waited for by boto3's own retries
        steps: list[str] = []

        def progress(text: str) -> None:
            step = text.partition("/")[0]
            if step not in steps:
                steps.append(step)
                (store if len(steps) % 2 else database).cut(1.0)

        with patience(settings):
            report = wait_out(process_once, "small", settings, progress=progress)
            assert len(steps) > 2
            assert report is not None
            assert report.records == sum(segment.records for segment in manifest.segments)
            steps.clear()
            (receipt,) = wait_out(erase, [seeds[0]], "ada", "asked for it", settings, progress, 0.0)
            assert len(steps) > 2
            assert receipt.waiting == ()
            with open_resources(settings) as resources:
                left = resources.lake.table("captures").scan().to_arrow()["url"].to_pylist()
            assert sorted(url for url in left if url in seeds) == sorted(seeds[1:])
