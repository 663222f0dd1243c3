"""Items that no dataset can take as they are, and pages whose callback failed: nothing is lost, and no key is gone for it."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from crawlhouse.output.accounting import show_report
from processing import stages
from processing.publish.report import RunReport
from schemas.config.crawl_file import parse_crawl
from schemas.config.settings import Settings
from schemas.keys import segment_item_problems_key
from spiders.run import crawl_once
from storage.objects.open import open_store
from tests.processing.crawlruns import capture, closed_run
from tests.processing.test_datasets import CRAWL, SHOP, product, rows, with_dataset
from tests.spiders.crawling import LOOPBACK, own_scope
from tests.spiders.smallserver import Headers, SmallServer, small_server

OFFERS = """
source: {items: Offer}
key: [host, sku]
fields: {sku: string, price: 'decimal(8,2)', odd: json, huge: json, refuse: json}
"""
Pages = dict[str, list[dict[str, Any]]]


def offer(sku: str | None, price: str = "1.00", **more: Any) -> dict[str, Any]:
    return {"type": "Offer", "sku": sku, "price": price, **more}


def crawl_and_process(pages: Pages, server: SmallServer, settings: Settings) -> RunReport:
    text = (
        f"spider: tests.processing.stallspider:StallSpider\n{own_scope(server.base)}\n{LOOPBACK}\npoliteness: {{delay: 0}}\n"
        "datasets: [offers]\nrevisit: {articles_min: 0, articles_max: 0, hubs_max: 0}\n"
    )
    crawl_once(parse_crawl(text, "stall"), settings)
    report = stages.process_once("stall", settings)
    assert report is not None
    return report


@pytest.mark.timeout(300)
def test_items_that_do_not_fit_and_pages_that_fail(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    settings = with_dataset(sqlite_settings, OFFERS, "offers")
    pages: Pages = {
        "/good": [offer("A"), offer("B")],
        "/other": [offer("C")],
        "/odd": [offer("D"), offer("D", "2.00"), offer("D"), offer(None), offer("E", colour="red"), offer("F", "cheap")],
        "/worse": [
            offer("G", odd=1),
            offer("H", huge="x"),
            offer("I", refuse=1),
            {"type": "Review", "stars": 5},
            {"n": 1},
            {"n": 2},
            offer("J"),
        ],
    }

    def answer(path: str, times: int) -> tuple[int, Headers, bytes]:
        return (200, {"Content-Type": "application/json"}, json.dumps(pages[path]).encode()) if path in pages else (404, {}, b"")

    with small_server(answer) as server:
        monkeypatch.setenv("OWN_SPIDER_BASE", server.base)
        monkeypatch.setenv("OWN_SPIDER_PATHS", " ".join(pages))
        first = crawl_and_process(pages, server, settings)
        pages |= {"/good": [offer("A", "3.00"), {"raise": "no time"}], "/other": []}
        crawl_and_process(pages, server, settings)
        after_error = gone(settings)
        pages["/good"] = [offer("A", "3.00")]
        crawl_and_process(pages, server, settings)

    assert rows(settings, "SELECT sku FROM offers WHERE version = 1 ORDER BY sku") == [(sku,) for sku in "ABCDJ"]
    run = f"process_run = '{first.process_run}'"
    found = rows(settings, f"SELECT dataset, rule, detail, row_json, url FROM quarantine WHERE {run} ORDER BY dataset, rule, row_json")
    assert [(dataset, rule) for dataset, rule, *_ in found] == [
        *[("no_dataset", "no_dataset")] * 3,
        *[("offers", rule) for rule in ("key", "key", "pipeline", "size", "type", "undeclared", "unstorable")],
    ]
    details = {rule: detail for _, rule, detail, *_ in found if rule != "key"}
    assert details["pipeline"].startswith("process_item of Picky: ValueError: no such shelf (stallspider.py, line")
    assert details["size"].startswith("An item has 9,4")
    assert details["unstorable"].startswith("An item, its 'odd' cannot be stored as JSON: ")
    unstorable = json.loads(next(row for _, rule, _, row, _ in found if rule == "unstorable"))
    assert unstorable == {"type": "Offer", "sku": "G", "price": "1.00", "odd": "a object that JSON cannot hold"}
    assert first.datasets["offers"] == {"made": 13, "published": 5, "unchanged": 1, "quarantined": 7}
    assert first.datasets["no_dataset"] == {"made": 3, "published": 0, "unchanged": 0, "quarantined": 3}
    there = "there are offers of Offer"
    assert first.unclaimed == {
        f"no dataset of the crawl takes items of the type 'Review'; {there}": {"count": 1, "url": f"{server.base}/worse"},
        f"no dataset of the crawl takes items without a type; {there}": {"count": 2, "url": f"{server.base}/worse"},
    }
    line = f"2 in quarantine: no dataset of the crawl takes items without a type; {there}. One is on {server.base}/worse"
    assert line in first.text()
    show_report(first)
    assert line in " ".join(capfd.readouterr().out.split())
    assert RunReport.from_json(first.to_json()) == first

    assert after_error == ["C"]  # its page was read and has it no more; the page of B was not read to its end
    assert gone(settings) == ["B", "C"]


def test_a_page_that_was_not_rendered_says_of_no_row_that_it_is_gone(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    shell = capture(f"{SHOP}/p/1", "<html><body><div id=app></div></body></html>", 9)
    seen = []
    for key, page, problem in (("1", product("1", "A1", "10"), False), ("2", shell, True), ("3", shell, False)):
        (row,) = closed_run(settings, CRAWL, key, [page])
        if problem:
            line = {"warc_record_offset": row.warc_record_offset, "rule": "render", "problem": "the page took too long"}
            problems = segment_item_problems_key("shop", row.crawl_run, f"{key}-0")
            open_store(settings).put_bytes(problems, gzip.compress(json.dumps(line).encode() + b"\n"))
        stages.process_once("shop", settings)
        seen.append(gone(settings, "products"))
    assert seen == [[], [], ["A1"]]
    outcomes = rows(settings, "SELECT outcomes FROM captures ORDER BY crawl_run")
    found = [next(one for one in outcome if one["dataset"] == "products") for (outcome,) in outcomes]
    assert [(one["outcome"], one["reason"]) for one in found] == [
        ("published", None),
        ("rejected", "dataset_error"),
        ("rejected", "no_rows"),
    ]
    assert found[1]["detail"] == "render: the page took too long"


def gone(settings: Settings, table: str = "offers") -> list[str]:
    return [sku for (sku,) in rows(settings, f"SELECT sku FROM {table}_latest WHERE gone_at IS NOT NULL ORDER BY sku")]
