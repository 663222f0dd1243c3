"""Datasets by functions of the user's: read with the page's article, in one pass. One that ends its process costs no other row."""

from __future__ import annotations

import sys

import pytest

from processing import stages
from schemas.config.settings import Settings
from tests.processing.crawlruns import article, closed_run
from tests.processing.test_datasets import CRAWL, SHOP, rows, with_dataset

MODULE = """
import os

def title(page):
    yield {"title": page.html.partition("<title>")[2].partition("<")[0]}

def fragile(page):
    if "/2" in page.url:
        os._exit(3)
    if "/3" in page.url:
        raise LookupError("no such table")
    return [{"title": "fine"}]
"""
DEFINITION = "source: {{function: 'shopfunctions:{name}'}}\nkey: [url]\nfields: {{title: string}}\n"


@pytest.mark.parametrize("names", [pytest.param(("fragile",), marks=pytest.mark.chaos), ("fragile", "title")])
def test_a_function_that_ends_its_process_costs_its_own_row_alone(
    names: tuple[str, ...], sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))  # `plan` imports the module into this process
    monkeypatch.delitem(sys.modules, "shopfunctions", raising=False)
    settings = sqlite_settings
    settings.crawls.mkdir()
    (settings.crawls / "shopfunctions.py").write_text(MODULE)
    for name in names:
        settings = with_dataset(settings, DEFINITION.format(name=name), name)
    crawl = CRAWL.model_copy(update={"datasets": ("articles", *names)})
    closed_run(settings, crawl, "1", [article(f"{SHOP}/{number}", number, number) for number in range(1, 5)])
    report = stages.process_once("shop", settings)
    assert report is not None
    assert report.datasets["articles"]["published"] == 4
    assert rows(settings, "SELECT url FROM fragile ORDER BY url") == [(f"{SHOP}/1",), (f"{SHOP}/4",)]
    if "title" in names:
        assert rows(settings, "SELECT count(*) FROM title") == [(4,)]
    outcomes = [outcome for (found,) in rows(settings, "SELECT outcomes FROM captures ORDER BY url") for outcome in found]
    details = [one["detail"] for one in outcomes if one["dataset"] == "fragile" and one["reason"] == "dataset_error"]
    assert len(details) == 2
    assert details[0].startswith("page_crash: ")
    assert details[1].startswith("LookupError: no such table (shopfunctions.py, line")
