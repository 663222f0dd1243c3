"""The numbers for Prometheus, and the dashboard that shows them."""

from __future__ import annotations

import json
import re

from crawlhouse.monitor.metrics import HELP, metrics_text
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.manifest import FetchCounts
from tests import PROJECT
from tests.crawlhouse.monitor.pastruns import store_runs

CRAWL = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/"], "thresholds": {"min_pages": 5}})
LINE = re.compile(r'([a-z_]+)(?:\{((?:[a-z]+="[^"\\]*",?)*)\})? (-?[0-9.e+]+)')


def test_numbers_are_those_of_the_newest_run(sqlite_settings: Settings) -> None:
    store_runs(sqlite_settings, CRAWL, [FetchCounts(due=9, fetched=9), FetchCounts(due=9, fetched=2, failed=7)])
    lines = metrics_text(sqlite_settings, {"news": 12}).splitlines()
    numbers = {(found[1], found[2]): float(found[3]) for line in lines if (found := LINE.fullmatch(line))}
    assert len(numbers) == len([line for line in lines if not line.startswith("#")])
    assert numbers["crawlhouse_urls", 'crawl="news",outcome="failed"'] == 7
    assert numbers["crawlhouse_alarm", 'crawl="news",alarm="threshold"'] == 1
    assert numbers["crawlhouse_alarm", 'crawl="news",alarm="late"'] == 0
    assert numbers["crawlhouse_quarantine_rows", 'crawl="news"'] == 12
    assert {name for name, _ in numbers} <= HELP.keys()


def test_the_dashboard_shows_numbers_that_there_are() -> None:
    dashboard = json.loads((PROJECT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    expressions = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    used = {name for expression in expressions for name in re.findall(r"crawlhouse_[a-z_]+", expression)}
    assert used
    assert used <= HELP.keys()
