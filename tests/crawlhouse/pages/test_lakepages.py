"""The pages of rows: datasets, records, quarantine, hosts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from crawlhouse.monitor.waiting import waiting_rows
from crawlhouse.pages.archived import harmless
from crawlhouse.pages.dataset import difference, render_dataset, render_datasets, render_versions
from crawlhouse.pages.hosts import render_hosts
from crawlhouse.pages.quarantine import Started, Wanted, render_quarantine, render_quarantined
from crawlhouse.pages.record import render_archived, render_record, render_search
from crawlhouse.pages.site import Site
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings, make_settings
from schemas.errors import NotFoundError
from storage.frontier.frontier import open_frontier
from storage.lake.lake import open_lake
from storage.ledger.held import Held, hold_rows
from storage.ledger.ledger import open_ledger
from tests.crawlhouse.pages.conftest import PageServer
from tests.crawlhouse.pages.test_pages import rows, words
from tests.crawlhouse.shoplake import publish_shop
from tests.crawlhouse.smalllake import ARTICLE, COPY, TEXT, TITLE
from tests.storage.lakerows import table_of

SITE = Site()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("shop") / "home"
    publish_shop(home)
    return make_settings(home=home)


@pytest.fixture
def small(lake_home: Path) -> Settings:
    return make_settings(home=lake_home)


def everybody(crawl: str) -> None:
    """May see every crawl."""


def nobody(crawl: str) -> None:
    raise PermissionError(crawl)


def test_a_dataset_shows_its_newest_rows_and_how_full_they_are(shop: Settings) -> None:
    page = render_dataset(shop, SITE, "products")
    assert "4 rows, all versions" in words(page)
    assert any("1.75" in row and row.endswith("2026-01-03 12:00") for row in rows(page))
    assert any(row.startswith("products 4 2 2026-01-03") for row in rows(render_datasets(shop, SITE)))
    for unknown in ("captures", "nothing", 'x"; DROP TABLE articles'):
        with pytest.raises(NotFoundError):
            render_dataset(shop, SITE, unknown)


def test_versions_show_what_changed(shop: Settings) -> None:
    page = render_versions(shop, SITE, "products", "a.example/x")
    assert re.search(r"price</th><td[^>]*><del>1.50</del> <ins>1.75</ins>", page)
    assert page.index("Version 2") < page.index("Version 1")
    with pytest.raises(NotFoundError, match="has no row"):
        render_versions(shop, SITE, "products", "nothing")


def test_a_difference_keeps_the_ends_of_what_stayed() -> None:
    same = " ".join(map(str, range(100)))
    assert difference(f"{same} old", f"{same} new") == [
        ("", "0 1 2 3 4 5 6 7 8 9 10 11 … 88 89 90 91 92 93 94 95 96 97 98 99"),
        ("del", "old"),
        ("ins", "new"),
    ]


def test_a_record_stands_beside_its_archived_page(small: Settings) -> None:
    page = render_record(small, SITE, ARTICLE, everybody)
    assert TEXT.splitlines()[0] in page
    assert "authors Ada B., C, D" in words(page)
    assert "charset utf-8 from http" in words(page)
    assert f'src="/crawlhouse/archived?url={"https%3A%2F%2Fa.example%2Fstorm"}"' in page
    assert "2 versions, with what changed" in words(page)
    archived = render_archived(small, ARTICLE, everybody)
    assert "The storm came at noon." in archived
    for show in (render_record, lambda settings, _, url, check: render_archived(settings, url, check)):
        with pytest.raises(PermissionError):
            show(small, SITE, ARTICLE, nobody)


def test_records_are_found_by_url_host_and_title(small: Settings) -> None:
    for words_searched in (TITLE.lower(), "a.example", "a.example/sto"):
        assert ARTICLE in render_search(small, SITE, words_searched)
    assert COPY not in render_search(small, SITE, "a.example")
    assert "Nothing was found" in render_search(small, SITE, "nothing like it")


def test_an_archived_page_can_neither_run_nor_load_nor_lead_away() -> None:
    html = (
        "<title>t</title><p onclick=alert(1) style='background:url(http://x/)'>Text <b>bold</b><script>alert(2)</script>"
        "<img src=http://x/1.png><a href=http://x/>link</a><iframe src=http://x/></iframe><svg><script>3</script></svg>"
        "<meta http-equiv=refresh content='0;url=http://x/'><form action=http://x/><input name=a></form><base href=http://x/>"
    )
    page = harmless(html)
    assert "<p>Text <b>bold</b>" in page
    assert not re.search(r"http|alert|<(script|img|iframe|svg|form|input|base|meta)", page)
    assert "link" in page


def test_quarantine_can_be_browsed_and_a_row_looked_at(shop: Settings) -> None:
    page = render_quarantine(shop, SITE, Wanted(), "the-token", lambda names: names)
    assert "2 rows, by rule" in words(page)
    assert page.count('name="token" value="the-token"') == 1
    only = render_quarantine(shop, SITE, Wanted(dataset="products"), "t", lambda names: names)
    assert "1 row, by rule" in words(only)
    assert "No row matches" in render_quarantine(shop, SITE, Wanted(), "t", lambda names: [])
    link = re.search(r"/crawlhouse/quarantine/([0-9a-f]{16})\?file=([^&]*)&amp;offset=(\d+)", only)
    assert link is not None
    shown = render_quarantined(shop, SITE, link[2], int(link[3]), link[1], everybody)
    assert '<p class="note bad"><strong>price</strong>' in shown
    with pytest.raises(NotFoundError, match="no more"):
        render_quarantined(shop, SITE, link[2], int(link[3]), "0" * 16, everybody)
    assert sum(waiting_rows(shop).values()) == 2


def test_decisions_are_shown_with_who_and_why(shop: Settings) -> None:
    decision = {"process_run": "p4", "sequence": 4, "kind": "drop", "crawl": "c", "decided_by": "ada", "decision_reason": "a <test>"}
    with open_lake(shop) as lake:
        lake.append("runs", [table_of("runs", decision)], "p4")
    page = render_quarantine(shop, SITE, Wanted(), "t", lambda names: names, Started("drop", "manual__1"))
    assert 'href="/dags/decide_rows/runs/manual__1"' in page
    assert "The drop was started." in words(page)
    (row,) = [row for row in rows(page) if "ada" in row]
    assert re.search(r" drop \S+ \d+ ada a <test>$", row)
    assert "ada" not in words(render_quarantine(shop, SITE, Wanted(), "t", lambda names: []))


@pytest.mark.browser
def test_pages_of_rows_fit_every_screen_and_reader(browser: Any, page_server: PageServer, shop: Settings, small: Settings) -> None:
    from tests.crawlhouse.pages.looks import keyboard_order, look_at

    quarantine = render_quarantine(shop, SITE, Wanted(), "t", lambda names: names)
    link = re.search(r"/crawlhouse/quarantine/([0-9a-f]{16})\?file=([^&]*)&amp;offset=(\d+)", quarantine)
    assert link is not None
    pages = {
        "datasets": render_datasets(shop, SITE),
        "dataset": render_dataset(shop, SITE, "products"),
        "articles": render_dataset(small, SITE, "articles"),
        "versions": render_versions(shop, SITE, "products", "a.example/x"),
        "quarantine": quarantine,
        "quarantined": render_quarantined(shop, SITE, link[2], int(link[3]), link[1], everybody),
        "search": render_search(small, SITE, "a.example"),
        "record": render_record(small, SITE, ARTICLE, everybody).replace("<iframe src=", "<iframe data-src="),  # it is served nowhere
    }
    assert look_at(browser, page_server, pages) == {}
    order = keyboard_order(browser, page_server, "quarantine")
    decide = ["reason", "Release: publish as they are", "Retry: judge again", "Drop for good"]
    assert [name for name in order if name in decide] == decide
    assert len([name for name in order if name.startswith("Choose ")]) == 2


def test_forms_decide_by_post_only(sqlite_settings: Settings) -> None:
    crawl = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/"]})
    ledger = open_ledger(sqlite_settings)
    from schemas.manifest import FetchCounts
    from tests.crawlhouse.monitor.pastruns import store_runs

    (run,) = store_runs(sqlite_settings, crawl, [FetchCounts(due=1, fetched=1)])
    hold_rows(ledger.database, "p-1", [Held(run, "products", "news", "price <b>is</b> wrong", process_run="p-1")])
    ledger.close()
    page = render_quarantine(sqlite_settings, SITE, Wanted(), "the-token", lambda names: names)
    assert "price &lt;b&gt;is&lt;/b&gt; wrong" in page
    forms = re.findall(r"<form[^>]*>", page)
    assert [form for form in forms if "/decide" in form] == ['<form class="inline" method="post" action="/crawlhouse/decide">']
    assert 'value="accept"' in page
    assert "price" not in words(render_quarantine(sqlite_settings, SITE, Wanted(), "t", lambda names: []))


def test_hosts_show_how_they_are_treated(sqlite_settings: Settings) -> None:
    crawl = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/", "https://b.example/"]})
    from spiders.run import plan

    planned = plan(crawl, key="1", settings=sqlite_settings)
    frontier = open_frontier(sqlite_settings)
    frontier.join(planned.crawl_run, "w0")
    frontier.close()
    page = rows(render_hosts(sqlite_settings, SITE, "news"))[1:]
    assert sorted(row.split()[0] for row in page) == ["a.example", "b.example"]
    assert all("free" in row and "not cached" in row and "0 of 20,000 pages, 0 B of 10.7 GB" in row for row in page)
    assert "There is no host yet" in render_hosts(sqlite_settings, SITE, "other")
