"""Retention killed at every step and run again: the same rows and segments are gone as without a kill, and no others."""

from __future__ import annotations

import signal
from datetime import timedelta
from pathlib import Path

import pytest

from processing import stages
from schemas.config.settings import Settings
from storage.lake.query import connect
from storage.objects.open import open_store
from tests.processing.crawlruns import NOON, article, closed_run
from tests.processing.reprocess.test_again import state
from tests.processing.test_datasets import CRAWL, SHOP, product, with_dataset
from tests.warm.killed import code_killed_at

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(3600)]

LATER = NOON + timedelta(days=40)
CODE = "import sys; from datetime import datetime; from schemas.config.settings import load_settings\n"
CODE += "from storage.lake.maintenance import maintain; maintain(load_settings(), now=datetime.fromisoformat(sys.argv[1]))"
ROWS = "{articles: 30, products: 30, quarantine: 30}"
OF_ROWS = ["retention.before.commit", "publish.after.catalog", "retention.before.commit:2", "publish.after.catalog:2"]
OF_SEGMENTS = ["retention.marked", "retention.deleted", "retention.deleted:2"]


def maintained(settings: Settings, failpoint: str = "") -> int:
    """The exit status of a process that maintains the lake, and is to die at a failpoint."""
    return code_killed_at(failpoint, settings, CODE, LATER.isoformat())


def filled(settings: Settings, retention: str) -> Settings:
    """Three processed runs, on three days; the last one's rows are kept."""
    settings = with_dataset(settings)
    settings.crawls.mkdir(exist_ok=True)
    (settings.crawls / "shop.yaml").write_text(f"seeds: [{SHOP}/]\ndatasets: [articles, products]\nretention: {retention}\n")
    for number, day in ((1, 1), (2, 2), (3, 20)):
        at = day * 1_440
        pages = [article(f"{SHOP}/a/1", number, at), product("1", "A1", f"{number}.00", at + 1), product("2", "A2", "cheap", at + 2)]
        closed_run(settings, CRAWL, str(number), pages)
        stages.process_once("shop", settings)
    return settings


def articles(settings: Settings) -> set[str]:
    with connect(settings) as lake:
        return {url for (url,) in lake.sql("SELECT url FROM articles").fetchall()}


def segments(settings: Settings) -> int:
    return sum(1 for _ in open_store(settings).list("warc/"))


@pytest.mark.parametrize(("retention", "steps"), [(ROWS, OF_ROWS), ("{warc: 30}", OF_SEGMENTS)], ids=["rows", "segments"])
def test_a_killed_retention_is_completed(lake_settings: Settings, tmp_path: Path, retention: str, steps: list[str]) -> None:
    settings, undisturbed = (
        filled(one, retention) for one in (lake_settings, Settings(home=tmp_path / "other", crawls=tmp_path / "crawls"))
    )
    before = state(settings, places=False)
    assert maintained(undisturbed) == 0
    expected = state(undisturbed, places=False)
    assert articles(undisturbed)
    assert (expected["articles"] == before["articles"]) == ("warc" in retention), "it removes something"
    for step in steps:
        status = maintained(settings, step)
        assert status == -signal.SIGKILL, step
        assert articles(settings) >= articles(undisturbed), step
    assert maintained(settings) == 0
    assert state(settings, places=False) == expected
    assert segments(settings) == segments(undisturbed)
    assert maintained(settings) == 0
    assert state(settings, places=False) == expected
