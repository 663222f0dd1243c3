"""Workers killed while items and what is missing of them go to the store: each is in a table or in quarantine exactly once."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from processing import stages
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from spiders.run import close, plan
from tests.chaos.test_crawl_kills import end, start
from tests.processing.test_datasets import rows, with_dataset
from tests.processing.test_items import OFFERS, offer
from tests.spiders.crawling import LOOPBACK, own_scope
from tests.spiders.smallserver import Headers, small_server

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]

STEPS = ["before-rotate", "before-upload", "after-upload", "inside-register", "after-register"]
PAGES = 12


def content(number: int) -> list[dict[str, Any]]:
    """A good offer, one that cannot be stored, one that a pipeline refuses, and an item of no dataset."""
    return [offer(f"A{number}"), offer(f"O{number}", odd=1), offer(f"R{number}", refuse=1), {"n": number}]


def answer(path: str, times: int) -> tuple[int, Headers, bytes]:
    number = int(path[1:]) if path[1:].isdigit() else PAGES
    return (200, {"Content-Type": "application/json"}, json.dumps(content(number)).encode()) if number < PAGES else (404, {}, b"")


def test_every_item_is_somewhere_once(sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = with_dataset(sqlite_settings, OFFERS, "offers")
    with small_server(answer) as server:
        monkeypatch.setenv("OWN_SPIDER_BASE", server.base)
        monkeypatch.setenv("OWN_SPIDER_PATHS", " ".join(f"/{number}" for number in range(PAGES)))
        spider = "spider: tests.processing.stallspider:StallSpider"
        text = f"{spider}\n{own_scope(server.base)}\n{LOOPBACK}\npoliteness: {{delay: 0.2}}\ndatasets: [offers]\n"
        run = plan(parse_crawl(text, "stall"), "k", settings).crawl_run
        died = [end(start(run, "w", settings, tmp_path, step)) for step in STEPS]
        assert died == [-signal.SIGKILL] * len(STEPS)
        assert end(start(run, "w", settings, tmp_path)) == 0
        close(run, settings)
    report = stages.process_once("stall", settings)
    assert report is not None
    numbers = sorted(str(number) for number in range(PAGES))
    assert [sku for (sku,) in rows(settings, "SELECT sku FROM offers ORDER BY sku")] == [f"A{number}" for number in numbers]
    found = rows(settings, "SELECT rule, json_extract_string(row_json, '$.sku') FROM quarantine WHERE dataset = 'offers' ORDER BY ALL")
    assert found == [*(("pipeline", f"R{number}") for number in numbers), *(("unstorable", f"O{number}") for number in numbers)]
    ((unclaimed, count),) = rows(settings, "SELECT rule, count(*) FROM quarantine WHERE dataset = 'no_dataset' GROUP BY ALL")
    assert (unclaimed, count) == ("no_dataset", PAGES)
    assert not [path for path in (settings.home / "spool").rglob("*") if path.is_file()]
