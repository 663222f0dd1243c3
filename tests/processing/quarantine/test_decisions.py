"""Rows leave quarantine: released as they are, judged again, or dropped; each once, and within the accounts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from processing import stages
from processing.accept import accept
from processing.quarantine.decisions import drop, release, retry
from processing.quarantine.selection import Quarantined, QuarantineFilter, find_rows
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.errors import ConfigError, NotFoundError
from storage.lake.lake import open_lake
from storage.lake.takedown import Takedowns
from tests.processing.crawlruns import article, capture, closed_run, html, prose, store_items
from tests.processing.lakeaccounts import check_accounts
from tests.processing.test_datasets import CRAWL, JUDGED, PRODUCTS, SHOP, product, rows, with_dataset

pytestmark = pytest.mark.servers_in_chaos

ALL = QuarantineFilter()
NEWS = Crawl.model_validate({"name": "news", "seeds": ["https://news.example.com/"]})
SITE = "https://news.example.com"
SHORT = html("Short notice", [prose(9)[0][:120]])


def processed(settings: Settings, crawl: str = "shop") -> dict[str, dict[str, int]]:
    """Process all closed runs; what became of each dataset's rows."""
    report = stages.process_once(crawl, settings)
    assert report is not None
    check_accounts(settings)
    return report.datasets


def found_rows(settings: Settings) -> list[Quarantined]:
    """What `quarantine list` shows."""
    with open_lake(settings) as lake:
        return list(find_rows(lake, ALL, Takedowns()))


def ids(settings: Settings, wanted: QuarantineFilter = ALL) -> list[str]:
    """The ids of the rows in quarantine."""
    with open_lake(settings) as lake:
        return [row.id for row in find_rows(lake, wanted, Takedowns())]


def products(settings: Settings) -> list[tuple[Any, ...]]:
    """The versions of the products."""
    return rows(settings, "SELECT sku, version, price::VARCHAR, changed FROM products ORDER BY ALL")


def outcome(settings: Settings, url: str) -> tuple[Any, ...]:
    """The outcome of the last capture of a URL."""
    columns = "outcome, reason, [(o.dataset, o.outcome, o.reason, o.rows) FOR o IN outcomes]"
    return rows(settings, f"SELECT {columns} FROM captures WHERE url = '{url}' ORDER BY fetched_at DESC LIMIT 1")[0]


def test_a_released_row_is_published_as_it_is_and_stays(lake_settings: Settings) -> None:
    settings = with_dataset(lake_settings, JUDGED)
    pages = [product("1", "A1", "-1"), product("2", "A2", "5.00", 1)]
    closed_run(settings, CRAWL, "1", pages)
    assert processed(settings)["products"]["quarantined"] == 1
    (one,) = ids(settings)
    settled = release(QuarantineFilter(ids=frozenset([one])), "eve", "a voucher", settings)
    assert settled.outcomes == {"published": 1}
    check_accounts(settings)
    assert products(settings) == [("A1", 1, "-1.00", []), ("A2", 1, "5.00", [])]
    assert rows(settings, "SELECT * FROM quarantine") == []
    assert outcome(settings, f"{SHOP}/p/1") == (
        "published",
        None,
        [("articles", "rejected", "hub", 0), ("products", "published", None, 1)],
    )
    columns = "kind, len(replaces), decided_by, decision_reason, records, published, due, segments"
    run = rows(settings, f"SELECT {columns} FROM runs WHERE kind = 'release'")
    assert run == [("release", 1, "eve", "a voucher", 1, 1, 0, 0)]
    again = release(QuarantineFilter(ids=frozenset([one])), "eve", "a voucher", settings)
    assert (again.outcomes, len(again.already)) == ({}, 1)
    with pytest.raises(NotFoundError, match=r"is in quarantine no more: it was released by eve on .* \(a voucher\)"):
        drop(QuarantineFilter(ids=frozenset([one])), "eve", "", settings)
    closed_run(settings, CRAWL, "2", [product("1", "A1", "-1", 60), product("2", "A2", "5.00", 61)])
    assert processed(settings)["products"] == {"made": 2, "published": 0, "unchanged": 2, "quarantined": 0}


@pytest.mark.chaos
def test_an_old_row_that_is_released_is_not_the_latest(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    for number, price in enumerate(["10.00", "11.00", "12.00"], 1):
        twice = [product("other", "A1", "-1", number * 60 + 1)] if number == 2 else []
        closed_run(settings, CRAWL, str(number), [product("1", "A1", price, number * 60), *twice])
        processed(settings)
    assert retry(ALL, "eve", "", settings).outcomes == {"quarantined": 1}, "its run still has another row of the key"
    check_accounts(settings)
    assert release(QuarantineFilter(dataset="products", rule="key"), "eve", "", settings).outcomes == {"published": 1}
    check_accounts(settings)
    assert products(settings)[2:] == [("A1", 3, "12.00", ["price"]), ("A1", 4, "-1.00", ["price"])]
    assert rows(settings, "SELECT price::VARCHAR FROM products_latest") == [("12.00",)]
    closed_run(settings, CRAWL, "4", [product("1", "A1", "12.00", 300)])
    closed_run(settings, CRAWL, "5", [product("1", "A1", "13.00", 360)])
    assert processed(settings)["products"] == {"made": 2, "published": 1, "unchanged": 1, "quarantined": 0}
    assert products(settings)[-1] == ("A1", 5, "13.00", ["price"])


def test_a_value_that_does_not_fit_cannot_be_released(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "cheap"), product("2", "A2", "5.00", 1)])
    processed(settings)
    (one,) = ids(settings)
    with pytest.raises(ConfigError, match=rf"{one}: price: 'cheap' is not a number\nCorrect the dataset's fields"):
        release(ALL, "eve", "", settings)
    assert retry(ALL, "eve", "", settings).outcomes == {"quarantined": 1}
    check_accounts(settings)
    assert ids(settings) == [one]
    with_dataset(settings, PRODUCTS.replace("price: {css: .price, type: 'decimal(12,2)'}", "label: .price"), "labels")
    assert retry(QuarantineFilter(rule="expectation"), "eve", "", settings).outcomes == {}


def test_a_page_is_read_again_by_a_corrected_definition(lake_settings: Settings) -> None:
    wrong = PRODUCTS.replace("{css: .price,", "{css: h1,")
    settings = with_dataset(lake_settings, wrong)
    closed_run(settings, CRAWL, "1", [product("1", "A1", "10,00 €"), product("2", "A2", "-5.00", 1)])
    assert processed(settings)["products"]["quarantined"] == 2
    with_dataset(settings, JUDGED)
    settled = retry(QuarantineFilter(crawl="shop", rule="type"), "eve", "the selector was wrong", settings)
    assert settled.outcomes == {"published": 1, "quarantined": 1}
    check_accounts(settings)
    assert products(settings) == [("A1", 1, "10.00", [])]
    assert rows(settings, "SELECT rule, json_extract_string(row_json, '$.price') FROM quarantine") == [
        ("expectation:expect_column_values_to_be_between", "-5.00")
    ]
    assert release(QuarantineFilter(url=f"{SHOP}/p/*"), "eve", "", settings).outcomes == {"published": 1}
    check_accounts(settings)
    assert products(settings) == [("A1", 1, "10.00", []), ("A2", 1, "-5.00", [])]


def test_a_dropped_row_is_counted(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings)
    pages = [product("1", "A1", "cheap"), product("2", "A2", "dear", 1), capture(f"{SHOP}/2026/03/short-notice", SHORT, 2)]
    closed_run(settings, CRAWL, "1", pages)
    processed(settings)
    assert drop(QuarantineFilter(url="*/[!z]*"), "eve", "", settings).outcomes == {}, "only * is a pattern"
    assert drop(QuarantineFilter(run="shop-20260301T120000Z-000001", url=f"{SHOP}/*/1"), "eve", "", settings).outcomes == {"rejected": 1}
    assert drop(QuarantineFilter(dataset="articles"), "eve", "broken", settings).outcomes == {"rejected": 1}
    check_accounts(settings)
    assert outcome(settings, f"{SHOP}/p/1")[:2] == ("rejected", "hub"), "of articles, which are no rows either"
    assert outcome(settings, f"{SHOP}/p/1")[2][1] == ("products", "rejected", "dropped", 0)
    assert outcome(settings, f"{SHOP}/2026/03/short-notice")[:2] == ("rejected", "dropped")
    assert rows(settings, "SELECT records, rejected, kind FROM runs WHERE kind = 'drop'") == [(1, 1, "drop")] * 2
    (one,) = ids(settings)
    (Path(settings.datasets) / "products.yaml").unlink()
    assert drop(QuarantineFilter(ids=frozenset([one])), "eve", "", settings).outcomes == {"rejected": 1}, "also without a definition"
    check_accounts(settings)


def test_articles_are_released_and_known_afterwards(lake_settings: Settings) -> None:
    page, copy = capture(f"{SITE}/2026/03/short-notice", SHORT), capture(f"{SITE}/2026/03/short-notice-again", SHORT, 1)
    closed_run(lake_settings, NEWS, "1", [page, copy, article(f"{SITE}/one", 1, 2)])
    assert processed(lake_settings, "news")["articles"]["quarantined"] == 2
    assert release(QuarantineFilter(rule="too_short"), "eve", "news in brief", lake_settings).outcomes == {"published": 1, "duplicate": 1}
    check_accounts(lake_settings)
    found = rows(lake_settings, "SELECT url, version, duplicate_kind FROM articles ORDER BY url")
    notice = f"{SITE}/2026/03/short-notice"
    assert found == [(notice, 1, None), (f"{notice}-again", 1, "exact"), (f"{SITE}/one", 1, None)]
    same = capture(f"{SITE}/2026/03/short-notice-again", SHORT + "<!-- new -->", 61)
    closed_run(lake_settings, NEWS, "2", [capture(f"{SITE}/2026/03/short-notice", SHORT, 60), same])
    assert processed(lake_settings, "news")["articles"] == {"made": 2, "published": 0, "unchanged": 2, "quarantined": 0}


def test_articles_are_tried_again_by_todays_rules(sqlite_settings: Settings) -> None:
    closed_run(sqlite_settings, NEWS, "1", [capture(f"{SITE}/2026/03/short-notice", SHORT), article(f"{SITE}/one", 1, 2)])
    processed(sqlite_settings, "news")
    assert retry(ALL, "eve", "", sqlite_settings).outcomes == {"quarantined": 1}
    check_accounts(sqlite_settings)
    sqlite_settings.crawls.mkdir(exist_ok=True)
    (sqlite_settings.crawls / "news.yaml").write_text(f"seeds: ['{SITE}/']\narticles: {{min_length: 50}}\n")
    assert retry(ALL, "eve", "shorter", sqlite_settings).outcomes == {"published": 1}
    check_accounts(sqlite_settings)
    assert rows(sqlite_settings, "SELECT count(*) FROM articles") == [(2,)]
    assert rows(sqlite_settings, "SELECT outcome, article_version FROM captures WHERE url LIKE '%short-notice'") == [("published", 1)]


@pytest.mark.chaos
def test_rows_are_judged_again_by_themselves_when_the_rules_changed(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings, PRODUCTS.replace("{css: .price,", "{css: h1,"))
    pages = [product("1", "A1", "10.00"), product("2", "A2", "dear"), capture(f"{SHOP}/2026/03/short-notice", SHORT, 2)]
    first = closed_run(settings, CRAWL, "1", pages)
    assert processed(settings)["products"]["quarantined"] == 2
    unchanged = {row.url: row for row in first}
    again = [capture(row.url, "", 60 + number, status=304) for number, row in enumerate(first)]
    closed_run(settings, CRAWL, "2", again, refers_to=unchanged)
    processed(settings)
    assert rows(settings, "SELECT DISTINCT kind FROM runs") == [("process",)], "the same rules judge nothing again"
    assert rows(settings, "SELECT outcome FROM captures WHERE record_type = 'revisit'") == [("rejected",)] * 3
    with_dataset(settings)
    shorter = CRAWL.model_copy(update={"articles": CRAWL.articles.model_copy(update={"min_length": 50})})
    closed_run(settings, shorter, "3", again, refers_to=unchanged)
    report = stages.process_once("shop", settings)
    assert report is not None
    check_accounts(settings)
    assert products(settings) == [("A1", 1, "10.00", [])]
    assert (report.known, report.rejected) == (2, 1), "the article and a product are known now"
    assert rows(settings, "SELECT kind, records, published, quarantined FROM runs WHERE kind != 'process'") == [("rejudge", 3, 2, 1)]
    assert rows(settings, "SELECT dataset, detail FROM quarantine") == [("products", "price: 'dear' is not a number")]
    closed_run(settings, shorter, "4", again, refers_to=unchanged)
    processed(settings)
    assert rows(settings, "SELECT count(*) FROM runs WHERE kind = 'rejudge'") == [(1,)]


STEP = """import pyarrow as pa


def add(batch):
    if batch.num_rows > 1 or batch["sku"][0].as_py() in SKUS:
        raise ValueError("no category")
    return batch.append_column("category", pa.array(["pots"]))
"""
OFFERS = """source: {items: Offer}
key: [host, sku]
fields: {sku: string, category: string}
steps: [{step: 'decision_steps:add', on_error: quarantine}]
"""


def test_rows_on_which_a_step_broke_items_of_no_dataset_and_held_articles(sqlite_settings: Settings) -> None:
    settings = with_dataset(sqlite_settings, OFFERS, "offers")
    always = "extends: articles\nexpectations: [{type: expect_column_values_to_be_in_set, column: title, value_set: [Other]}]\n"
    with_dataset(settings, always, "articles")
    settings.crawls.mkdir(exist_ok=True)
    module = settings.crawls / "decision_steps.py"
    module.write_text('SKUS = {"X1", "X2"}\n' + STEP)
    crawl = CRAWL.model_copy(update={"datasets": ("articles", "offers")})
    (row,) = closed_run(settings, crawl, "1", [article(f"{SHOP}/news", 1)])
    store_items(
        settings, row, {"type": "Offer", "sku": "X1"}, {"type": "Offer", "sku": "X2"}, {"type": "Review"}, {"type": "Offer", "sku": "A"}
    )
    made = processed(settings)
    assert made["offers"] == {"made": 3, "published": 1, "unchanged": 0, "quarantined": 2}
    by_rule = {one: ids(settings, QuarantineFilter(rule=one)) for one in ("step", "no_dataset")}
    assert {rule: len(found) for rule, found in by_rule.items()} == {"step": 2, "no_dataset": 1}

    with pytest.raises(ConfigError, match="no table takes it"):
        release(QuarantineFilter(dataset="no_dataset"), "eve", "", settings)
    first = next(one.id for one in found_rows(settings) if one.rule == "step")
    assert release(QuarantineFilter(ids=frozenset([first])), "eve", "", settings).outcomes == {"published": 1}
    module.write_text("SKUS = set()\n" + STEP)
    assert retry(ALL, "eve", "", settings).outcomes == {"published": 1, "quarantined": 1}
    assert rows(settings, "SELECT sku, category FROM offers ORDER BY sku") == [("A", "pots"), ("X1", None), ("X2", "pots")]
    check_accounts(settings)
    assert drop(ALL, "eve", "", settings).outcomes == {"rejected": 1}
    check_accounts(settings)

    assert accept(row.crawl_run, "articles", "eve", "", settings).report is not None
    check_accounts(settings)
    assert rows(settings, "SELECT title FROM articles") == [("Story 1",)]
