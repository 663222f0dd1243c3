"""The page `Crawls`: each crawl run with its own records, and a gate that failed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from crawlhouse.airflow.run_page import render_runs
from processing import stages
from processing.expectations import expectations
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from tests.processing.crawlruns import article, closed_run

SITE = "https://news.example.com"
NEWS = Crawl.model_validate({"name": "news", "seeds": [SITE + "/"]})


def shown(settings: Settings) -> list[str]:
    """The rows of the page's table as words."""
    rows = re.findall(r"<tr>(.+?)</tr>", render_runs(settings), re.DOTALL)[1:]
    return [" ".join(re.sub(r"<[^>]+>", " ", row).split()) for row in rows]


def test_runs_that_were_published_together_show_their_own_records(sqlite_settings: Settings) -> None:
    closed_run(sqlite_settings, NEWS, "1", [article(SITE + "/1", 1), article(SITE + "/2", 2)])
    closed_run(sqlite_settings, NEWS, "2", [])
    closed_run(sqlite_settings, NEWS, "3", [article(SITE + "/3", 3)])
    assert "waits for processing" in shown(sqlite_settings)[0]
    report = stages.process_once("news", sqlite_settings)
    assert report is not None
    assert len(report.crawl_runs) == 3
    third, second, first = shown(sqlite_settings)
    assert "1 = 1 published" in third
    assert "published" not in second
    assert "2 = 2 published" in first


def test_a_gate_that_failed_is_shown_with_its_expectation(
    sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    suite = tmp_path / "articles.json"
    kwargs = {"column": "word_count", "min_value": 100_000}
    suite.write_text(json.dumps({"name": "articles", "expectations": [{"type": "expect_column_values_to_be_between", "kwargs": kwargs}]}))
    monkeypatch.setattr(expectations, "suite_path", lambda: suite)
    closed_run(sqlite_settings, NEWS, "1", [article(SITE + "/1", 1)])
    stages.process_once("news", sqlite_settings)
    (row,) = shown(sqlite_settings)
    assert "1 = 1 rejected" in row
    assert "failed: 1 of 1" in row
    assert "word_count column values to be between: 1 rows" in row
