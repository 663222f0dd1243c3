"""The pages: what they say of crawls and runs, and how they look in a browser."""

from __future__ import annotations

import json
import re
import shutil
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from crawlhouse.pages.crawl import render_crawl
from crawlhouse.pages.dataset import render_dataset
from crawlhouse.pages.hosts import render_hosts
from crawlhouse.pages.overview import DagState, render_overview
from crawlhouse.pages.plots import FLOW_HEIGHT, flow, sparkline
from crawlhouse.pages.run import AirflowSide, read_run, render_run
from crawlhouse.pages.site import FailedTask, Site, render
from processing import stages
from processing.expectations import expectations
from schemas.capture import UrlKind
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.errors import NotFoundError
from schemas.manifest import FetchCounts
from spiders.run import plan
from storage.database.engine import open_database
from storage.frontier.frontier import open_frontier
from tests.cpu import LEAST_SECONDS, seconds_of
from tests.crawlhouse.conftest import Run
from tests.crawlhouse.monitor.pastruns import fill, store_runs
from tests.crawlhouse.pages.conftest import PageServer
from tests.processing.crawlruns import article, capture, closed_run

SITE = "https://news.example.com"
NEWS = Crawl.model_validate({"name": "news", "seeds": [SITE + "/"]})
STRANGE = "</td><script>alert(1)</script>"


def words(page: str) -> str:
    """The text of a page."""
    body = page[page.index("<main") :]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", body)).split())


def rows(page: str) -> list[str]:
    return [words("<main>" + row) for row in re.findall(r"<tr(?: [^>]*)?>(.+?)</tr>", page, re.DOTALL)]


def crawl_files(settings: Settings, **texts: str) -> None:
    settings.crawls.mkdir(exist_ok=True)
    for name, text in texts.items():
        (settings.crawls / f"{name}.yaml").write_text(text, encoding="utf-8")


def test_runs_that_were_published_together_show_their_own_records(sqlite_settings: Settings) -> None:
    closed_run(sqlite_settings, NEWS, "1", [article(SITE + "/1", 1), article(SITE + "/2", 2)])
    closed_run(sqlite_settings, NEWS, "2", [])
    closed_run(sqlite_settings, NEWS, "3", [article(SITE + "/3", 3), capture(SITE + f"/{STRANGE}", "", status=404, kind=UrlKind.PAGE)])
    assert "waits for processing" in rows(render_crawl(sqlite_settings, Site(), "news"))[1]
    assert stages.process_once("news", sqlite_settings) is not None
    _, third, second, first = rows(render_crawl(sqlite_settings, Site(), "news"))
    assert "2 = 1 published + 1 rejected" in third
    assert "published" not in second
    assert "2 = 2 published" in first
    run = read_run(sqlite_settings, "news-20260301T120000Z-000003")
    assert run.datasets == {"articles": {"made": 1, "published": 1, "unchanged": 0, "quarantined": 0}}
    page = render_run(sqlite_settings, Site(), run.run.crawl_run)
    assert "2 records = 1 published + 0 known + 0 duplicate + 0 quarantined + 1 rejected." in words(page)
    assert "rejected http error 1" in words(page)
    assert "1 WARC segment," in words(page)
    assert re.search(r"were met\. Met ", words(page))  # a closed list: nobody has to read what is in order
    assert "<details open>" not in page
    assert f"{SITE}/&lt;/td&gt;&lt;script&gt;" in page
    assert "<script>alert" not in page
    dataset = words(render_dataset(sqlite_settings, Site(), "articles"))
    assert re.search(r"rows published: 1 \([01] to 2\)", dataset)
    assert "lead_image missing, in percent: 100" in dataset
    assert re.search(r"article_id, version compound columns to be unique critical ✓", dataset)


def test_a_crawl_says_what_is_due_now_and_has_the_error_rate_of_the_overview(sqlite_settings: Settings) -> None:
    crawl_files(sqlite_settings, news=f"seeds: ['{SITE}/']\n")
    store_runs(sqlite_settings, NEWS, [FetchCounts(due=10, fetched=3, failed=1, left_over=6)])
    planned = plan(NEWS, key="1", settings=sqlite_settings).crawl_run
    frontier = open_frontier(sqlite_settings)
    frontier.begin_close(planned)
    frontier.release_left_over(planned)
    frontier.close()
    page = words(render_crawl(sqlite_settings, Site(), "news"))
    assert f"URLs are due now, first {SITE}/" in page
    assert "Failed, in percent: 25" in page


def test_a_gate_that_failed_is_red_and_names_its_rows(sqlite_settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    suite = tmp_path / "articles.json"
    kwargs = {"column": "word_count", "min_value": 100_000}
    suite.write_text(json.dumps({"name": "articles", "expectations": [{"type": "expect_column_values_to_be_between", "kwargs": kwargs}]}))
    monkeypatch.setattr(expectations, "suite_path", lambda: suite)
    crawl_files(sqlite_settings, news=f"seeds: ['{SITE}/']\n")
    closed_run(sqlite_settings, NEWS, "1", [article(SITE + "/1", 1)])
    stages.process_once("news", sqlite_settings)
    (row,) = rows(render_overview(sqlite_settings, Site()))[1:]
    assert row.startswith(
        "gate failed news Rows of articles of news-20260301T120000Z-000001 are held back: expect_column_values_to_be_between"
    )
    page = words(render_run(sqlite_settings, Site(), "news-20260301T120000Z-000001"))
    assert "held back articles: expect_column_values_to_be_between(word_count): 1 row, expected to be at least 100000; first from" in page
    assert "1 of 1 were not met" in page
    assert "not met. Not met Result" in page
    assert re.search(rf"first from {SITE}/1 \(word_count \d+\)", page)
    assert re.search(rf"min_value 100000 critical 1 {SITE}/1 : word_count \d+", page)


def test_what_needs_attention_comes_first(sqlite_settings: Settings) -> None:
    one = "seeds: ['https://a.example/']\n"
    crawl_files(sqlite_settings, missed=one + "thresholds: {min_pages: 5}\n", fine=one, broken=one + "sedes: 1\n", rests=one, failed=one)
    for name, fetched in (("missed", 2), ("fine", 9), ("failed", 9)):
        crawl = Crawl.model_validate({"name": name, "seeds": ["https://a.example/"], "thresholds": {"min_pages": 5}})
        store_runs(sqlite_settings, crawl, [FetchCounts(due=9, fetched=fetched, failed=9 - fetched)])
    dags = {"rests": DagState(is_paused=True), "failed": DagState(failed_dag="process_failed", failed_run="manual__1")}
    page = render_overview(sqlite_settings, Site(airflow="/base"), dags=dags, waiting={"fine": 1234})
    labels = [row.split(" Page")[0] for row in rows(page)[1:]]
    assert [label.split()[:3] for label in labels] == [
        ["broken", "file", "broken"],
        ["failed", "failed", "The"],
        ["threshold", "missed", "missed"],
        ["to", "be", "processed"],
        ["paused", "rests", "never"],
    ]
    assert "did you mean 'seeds'?" in labels[0]
    assert 'href="/base/dags/process_failed/runs/manual__1"' in page
    assert "77.8 %" in labels[2]
    assert "1,234" in labels[3]
    hidden = render_overview(sqlite_settings, Site(), visible=lambda names: [name for name in names if name == "fine"])
    assert len(rows(hidden)) == 2
    at_rest = render_overview(sqlite_settings, Site(), dags=dags, state="soft")
    assert [row.split()[1] for row in rows(at_rest)[1:]] == ["rests"]
    assert "3 need attention" in words(at_rest)


def test_a_run_leads_to_airflow_and_to_the_log_of_what_failed(sqlite_settings: Settings) -> None:
    (run,) = store_runs(sqlite_settings, NEWS, [FetchCounts(due=1, fetched=1)])
    failed = (FailedTask("crawl_news", "a b", "fetch", 2), FailedTask("process_news", "c", "gate"))
    page = render_run(sqlite_settings, Site(airflow="/base"), run, AirflowSide("c", failed))
    for link in ("crawl_news/runs/a%20b/tasks/fetch/mapped/2", "process_news/runs/c/tasks/gate", "process_news/runs/c"):
        assert f'href="/base/dags/{link}" target="_top"' in page
    assert "The task fetch [2] of crawl_news failed: its log" in words(page)


def test_an_empty_home_says_what_to_do(sqlite_settings: Settings) -> None:
    assert "crawlhouse init" in render_overview(sqlite_settings, Site())
    with pytest.raises(NotFoundError, match="neither a file"):
        render_crawl(sqlite_settings, Site(), "nothing")
    with pytest.raises(NotFoundError, match="There is no crawl run"):
        render_run(sqlite_settings, Site(), "nothing")


def test_a_running_crawl_says_how_far_it_is(sqlite_settings: Settings) -> None:
    plan(NEWS, key="1", settings=sqlite_settings, urls=[SITE + "/1", SITE + "/2"])
    assert "running , 0 of 3" in words(render_overview(sqlite_settings, Site()))


def test_the_overview_grows_with_the_crawls(sqlite_settings: Settings) -> None:
    text = "seeds: ['https://a.example/']\nschedule: '@hourly'\n"

    def fill_in(numbers: range) -> None:
        names = [f"crawl_{number:03d}" for number in numbers]
        crawl_files(sqlite_settings, **dict.fromkeys(names, text))
        database = open_database(sqlite_settings.database_url("frontier"))
        fill(database, [Crawl.model_validate({"name": name, "seeds": ["https://a.example/"]}) for name in names], 30)
        database.close()

    def overview(crawls: int) -> None:
        assert len(rows(render_overview(sqlite_settings, Site()))) == crawls + 1

    fill_in(range(75))
    overview(75)  # the files are read once
    few = min(seconds_of(overview, 75) for _ in range(3))
    fill_in(range(75, 300))
    overview(300)
    assert min(seconds_of(overview, 300) for _ in range(3)) < 8 * max(few, LEAST_SECONDS)
    shutil.rmtree(sqlite_settings.home)  # what was filled in holds no accounting


def test_a_sparkline_and_a_flow_keep_their_proportions() -> None:
    assert 'd="M0 22v-11.0h4v11.0z"' in sparkline([5], [5], "x")
    assert sparkline([], [], "none").count("<path") == 2
    drawn = flow([[("due", 10, "due")], [("fetched", 8, "fetched"), ("failed", 2, "failed")], [("published", 0, "published")]], [10, 8])
    assert [node.name for node in drawn.nodes] == ["due", "fetched", "failed"]
    due, fetched, failed = drawn.nodes
    assert round(fetched.height / failed.height, 1) == 4.0
    assert due.height < FLOW_HEIGHT
    assert [band.title for band in drawn.bands] == ["8 of 10 due: fetched", "2 of 10 due: failed"]


def test_a_report_is_one_file(crawlhouse: Run, sqlite_settings: Settings, tmp_path: Path) -> None:
    crawl = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/"]})
    (run,) = store_runs(sqlite_settings, crawl, [FetchCounts(due=9, fetched=8, failed=1)])
    where = {"home": str(sqlite_settings.home), "crawls": str(sqlite_settings.crawls)}
    for reference in (run, "news"):
        written = crawlhouse("report", reference, "-o", str(tmp_path / "report.html"), **where)
        assert written.code == 0
        page = (tmp_path / "report.html").read_text(encoding="utf-8")
        assert "<svg" in page
        assert re.findall(r'(?:src|href)="(?!#)', page) == []
        assert "8 fetched" in words(page)
    assert crawlhouse("report", "nothing", "-o", str(tmp_path / "x.html"), **where).code == 3


@pytest.mark.browser
def test_pages_of_crawls_fit_every_screen_and_reader(browser: Any, page_server: PageServer, sqlite_settings: Settings) -> None:
    from tests.crawlhouse.pages.looks import keyboard_order, look_at

    one = "seeds: ['https://a.example/']\n"
    crawl_files(sqlite_settings, news=one + "thresholds: {min_pages: 9}\n", broken=one + "sedes: 1\n")
    crawl = Crawl.model_validate({"name": "news", "seeds": ["https://a.example/"], "thresholds": {"min_pages": 9}})
    runs = store_runs(sqlite_settings, crawl, [FetchCounts(due=9, fetched=9), FetchCounts(due=9, fetched=2, failed=5, left_over=2)])
    plan(crawl, key="1", settings=sqlite_settings)
    pages = {
        "overview": render_overview(sqlite_settings, Site(), waiting={"news": 3}),
        "crawl": render_crawl(sqlite_settings, Site(), "news"),
        "run": render_run(sqlite_settings, Site(), runs[-1], AirflowSide("x", (FailedTask("crawl_news", "x", "fetch", 0),))),
        "hosts": render_hosts(sqlite_settings, Site(), "news"),
        "message": render("message.html", Site(), title="Not found", message="There is no such page.", is_error=True, place=""),
    }
    assert look_at(browser, page_server, pages) == {}
    order = keyboard_order(browser, page_server, "overview")
    assert order[:6] == ["Skip to the content", "Crawls", "Datasets", "Records", "Quarantine", "Hosts"]
    assert {"broken", "news", "3"} <= set(order)
