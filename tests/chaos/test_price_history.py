"""A history of prices over five runs, processed undisturbed and by processes that are killed again and again: equal lakes."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from processing import stages
from schemas.capture import Capture
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from storage.index.rows import CaptureRow
from storage.lake.query import connect
from tests import PROJECT
from tests.processing.crawlruns import article, capture, closed_run
from tests.processing.test_datasets import SHOP, product, with_dataset

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(900)]

PRODUCTS = """
source: {selectors: {sku: .sku, name: h1, price: {css: .price, type: 'decimal(12,2)'}}}
match: [/p/]
key: [host, sku]
expectations:
  - {type: expect_column_values_to_be_between, column: price, min_value: 0, severity: warning}
"""
CRAWL = Crawl.model_validate({"name": "shop", "seeds": [SHOP + "/"], "datasets": ["articles", "products"]})
PRICES = ["10.00", "12.00", "12.00", "10.00", "11.00"]
GONE = 3  # the run in which a page answers 404; in the next it is as it was
STEPS = [f"publish.{when}.{table}" for table in ("products", "sightings", "quarantine") for when in ("before", "after")]
STEPS += ["publish.after.catalog", "publish.before.mark"]
RANDOM_KILLS = 2  # in each run, beside those at the steps
TABLES = ("products", "sightings", "quarantine", "captures", "articles")
# The ids of process runs are digests of snapshots; WARC records have random ids, which deflate to different lengths.
DIFFERENT = {"process_run", "ingested_at", "warc_record_offset", "warc_record_length"}
RANK = "dense_rank() OVER (ORDER BY sequence)"  # a publisher that was killed leaves a gap in the numbers
PROCESS = "import sys; from processing.stages import process_once; from schemas.config.settings import load_settings"


def close_runs(settings: Settings, number: int, first: dict[str, CaptureRow]) -> list[CaptureRow]:
    """One more run of the shop: a price that moves, one that stays (304), one that is gone for a run, and broken ones."""
    at = number * 60
    captures: list[Capture] = [
        product("1", "A1", PRICES[number - 1], at),
        product("2", "A2", "5.00", at + 1),
        product("3", "A3", "7.00", at + 2) if number != GONE else capture(f"{SHOP}/p/3", "gone", at + 2, status=404),
        product("4", "A4", "-1", at + 3),
        product("5", "A5", "cheap", at + 4),
        product("6", "A1", "99.00", at + 5),
        article(f"{SHOP}/news/{number}", number, at + 6),
    ]
    unchanged = {url: row for url, row in first.items() if number != GONE or not url.endswith("/p/3")}
    return closed_run(settings, CRAWL, str(number), captures, refers_to=unchanged)


def processed(settings: Settings, failpoint: str = "", seconds: float | None = None) -> int:
    """The exit status of a process that processes what is closed; it is killed at a failpoint or after some seconds."""
    given = {f"CRAWLHOUSE_{name.upper()}": str(value) for name, value in settings.model_dump().items() if value}
    given |= {"CRAWLHOUSE_FAILPOINT": failpoint} if failpoint else {}
    code = f"{PROCESS}; process_once('shop', load_settings())"
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, **given}, cwd=PROJECT, process_group=0)
    if seconds is not None:
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait(300)


def lake(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """All rows that readers see, without what is different in two lakes with the same captures."""
    found = {}
    with connect(settings) as connection:
        for name in TABLES:
            described = [row[0] for row in connection.sql(f"DESCRIBE {name}").fetchall()]
            columns = ", ".join(RANK if column == "sequence" else f'"{column}"' for column in described if column not in DIFFERENT)
            found[name] = sorted(connection.sql(f"SELECT {columns} FROM {name}").fetchall(), key=repr)
        found["latest"] = connection.sql("SELECT sku, version, last_seen, gone_at FROM products_latest ORDER BY sku").fetchall()
    return found


def test_five_runs_with_a_killed_process_in_each(lake_settings: Settings, tmp_path: Path) -> None:
    dice = random.Random(13)
    undisturbed = with_dataset(Settings(home=tmp_path / "undisturbed", crawls=tmp_path), PRODUCTS)
    killed = with_dataset(lake_settings, PRODUCTS)
    first: dict[str, dict[str, CaptureRow]] = {"undisturbed": {}, "killed": {}}
    steps = list(STEPS)
    for number in range(1, len(PRICES) + 1):
        for name, settings in (("undisturbed", undisturbed), ("killed", killed)):
            rows = close_runs(settings, number, first[name])
            first[name] = first[name] or {row.url: row for row in rows if row.url in {f"{SHOP}/p/2", f"{SHOP}/p/3"}}
        assert stages.process_once("shop", undisturbed) is not None
        for _ in range(2):
            if steps:
                step = steps.pop(0)
                assert processed(killed, step) == -signal.SIGKILL, step
        for _ in range(RANDOM_KILLS):
            processed(killed, seconds=dice.uniform(1.0, 6.0))
        assert processed(killed) == 0
        expected = lake(undisturbed)
        for table, found in lake(killed).items():
            assert found == expected[table], (number, table)
        gone = [sku for sku, _, _, gone_at in expected["latest"] if gone_at is not None]
        assert gone == (["A3"] if number == GONE else [])
    assert not steps
    assert len(expected["products"]) == 4 + 2  # A1 with four prices; A2 and A3 with one
