"""The way of the data through a real Airflow: the demo twice, a run with nothing to do, a fetch that is ended, the UI in a browser."""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest
from rich.console import Console

from crawlhouse.airflow import processes, stack
from crawlhouse.airflow.api import AirflowApi, DagRun
from crawlhouse.demo.demo import DemoResult, run_demo
from schemas.config.settings import Settings
from spiders.spool.spool import JOURNAL_SUFFIX
from storage.ledger.ledger import open_ledger
from tests.crawlhouse.live.livestack import command_line, mark
from tests.shopcrawl import EXPECTED_OF_THE_DEMO, check_shop

pytestmark = [pytest.mark.airflow, pytest.mark.system, pytest.mark.xdist_group("airflow"), pytest.mark.timeout(900)]

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SECONDS = 300.0

Live = tuple[Settings, stack.Stack]
Demos = tuple[DemoResult, DemoResult, str]


@pytest.fixture(scope="module")
def demos(live_stack: Live) -> Demos:
    """The demo's first two runs and what they printed."""
    settings, running = live_stack
    shown = StringIO()
    console = Console(file=shown, width=200)
    first, second = run_demo(settings, console, running.port), run_demo(settings, console, running.port)
    return first, second, shown.getvalue()


def test_the_demo_publishes_articles_and_its_accounts_add_up(demos: Demos, live_stack: Live) -> None:
    first, _, shown = demos
    assert first.manifest.counts.balanced()
    assert first.manifest.counts.fetched > 200
    report = first.report
    assert report.records == report.published + report.known + report.duplicate + report.quarantined + report.rejected
    assert report.records == sum(segment.records for segment in first.manifest.segments)
    assert report.published > 100
    assert f"{report.records:,} = {report.published:,} published" in shown
    assert live_stack[1].url in shown


def test_the_next_day_stores_only_what_is_new(demos: Demos, live_stack: Live) -> None:
    from storage.lake.query import connect

    first, second, _ = demos
    assert second.tick == first.tick + 1
    assert second.report.known > 100
    assert 0 < second.report.published < first.report.published / 2
    with connect(live_stack[0]) as lake:
        answer = lake.execute("SELECT count(*), count(DISTINCT (article_id, version)), max(version) FROM articles").fetchone()
    assert answer is not None
    rows, distinct, latest = answer
    assert rows == distinct == sum(demo.report.published + demo.report.duplicate for demo in (first, second))
    assert latest == 2


def test_the_shop_has_a_history_of_prices_gone_products_and_rows_held_back(demos: Demos, live_stack: Live) -> None:
    first, second, shown = demos
    assert [len(demo.shop_manifests) for demo in (first, second)] == [2, 1]
    check_shop(live_stack[0], range(3), EXPECTED_OF_THE_DEMO)
    made = [report.datasets["products"]["made"] for report in first.shop_reports]
    assert f"products: {sum(made):,} rows, from the schema.org data of the pages" in shown
    for text in ("Claw hammer", "ask in the shop", "Electric kettle", 'crawlhouse query "SELECT DISTINCT dataset, rule, detail, url'):
        assert text in shown


def test_a_dag_of_the_users_own_is_told_of_fresh_rows(demos: Demos, live_stack: Live) -> None:
    from storage.lake.query import connect

    settings, running = live_stack
    file = settings.home / "fresh_offers.jsonl"
    published = [report for demo in demos[:2] for report in demo.shop_reports]
    with connect(settings) as lake:
        rows = dict(lake.execute("SELECT sequence, count(*) FROM offers GROUP BY sequence").fetchall())
    _wait(lambda: file.exists() and len(file.read_text().splitlines()) >= len(published))
    events = [json.loads(line) for line in file.read_text().splitlines()]
    ledger = open_ledger(settings)
    assert [(event["crawl"], event["process_run"], event["sequence"]) for event in events] == [
        ("shop", report.process_run, report.sequence) for report in published
    ]
    assert [event["snapshot"] for event in events] == [ledger.commits(report.process_run)["offers"] for report in published]
    assert {event["sequence"]: event["published"] for event in events if event["published"]} == rows
    ledger.close()
    with running.api() as api:
        assert api.dag_runs("daily_export") == []  # it is off
        api.unpause("daily_export")
        assert api.wait(api.trigger("daily_export"), SECONDS).state == "success"
    exported = list((settings.home / "exports").rglob("*.parquet"))
    assert exported  # a file for each day: switching it on may export the day before, too
    with connect(settings) as lake:
        urls = sorted(url for (url,) in lake.sql("SELECT url FROM articles_latest").fetchall())
    for path in exported:
        assert sorted(pq.read_table(path)["url"].to_pylist()) == urls, path


def test_a_new_home_is_not_maintained_for_the_time_before_it(demos: Demos, live_stack: Live) -> None:
    settings, running = live_stack
    began = datetime.fromtimestamp((settings.crawls / "bad.yaml").stat().st_mtime, UTC)
    with running.api() as api:
        assert api.dag_runs("maintain_lake") == api.dag_runs("maintain_lake", after=began)


def test_a_wake_up_with_nothing_to_do_ends_at_once(demos: Demos, live_stack: Live) -> None:
    with live_stack[1].api() as api:
        done = api.wait(api.trigger("process_demo"), SECONDS)
        assert done.state == "success"
        assert {task.task_id: task.state for task in api.tasks(done)} == {
            "plan": "success",
            **dict.fromkeys(("shards", "extract", "resolve", "gate", "publish"), "skipped"),
        }


def test_a_fetch_that_is_marked_failed_ends_its_spider_and_keeps_what_it_has(live_stack: Live, demos: object) -> None:
    settings, running = live_stack
    with running.api() as api:
        api.wait_for_dag("crawl_slow", SECONDS)
        run = api.trigger("crawl_slow")
        _wait(lambda: _has_fetched(settings, "slow"))
        assert _spiders(settings)
        path = f"/api/v2/dags/crawl_slow/dagRuns/{run.run_id}/taskInstances/fetch/0"
        api._call("PATCH", path, {"new_state": "failed"})
        _wait(lambda: not _spiders(settings), seconds=30)
        done = api.wait(run, SECONDS)
        assert done.state == "failed"
        assert _states(api, done)["close"] in {"success", "failed"}
    ledger = open_ledger(settings)
    try:
        (closed,) = ledger.crawl_runs("slow", state="closed")
        manifest = ledger.manifest(closed.crawl_run)
    finally:
        ledger.close()
    assert manifest.counts.balanced()
    assert manifest.counts.fetched > 0
    assert manifest.counts.left_over > 0


def _states(api: AirflowApi, run: DagRun) -> dict[str, str]:
    return {task.task_id: task.state for task in api.tasks(run)}


def _spiders(settings: Settings) -> list[int]:
    return [process.pid for process in processes.marked(mark(settings)) if "spiders.worker" in command_line(process)]


def _has_fetched(settings: Settings, crawl: str) -> bool:
    """Whether a spider of the crawl has a page in its spool."""
    journals = (settings.home / "spool").glob(f"{crawl}-*/*/*{JOURNAL_SUFFIX}")
    return any('"outcome": "fetched"' in journal.read_text(encoding="utf-8") for journal in journals)


def _wait(condition: Any, seconds: float = SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.usefixtures("demos")  # they leave rows in quarantine
def test_the_pages_are_closed_to_strangers(live_stack: Live) -> None:
    answer = httpx.get(f"{live_stack[1].url}/crawlhouse/", trust_env=False, timeout=60)
    assert answer.status_code == 401
    assert "Crawls" not in answer.text
    running = live_stack[1]
    login = {"username": running.user, "password": running.password}
    with httpx.Client(base_url=running.url, trust_env=False, timeout=60) as client:
        for path in ("metrics", "runs/x", "quarantine", "record?url=x", "dags/crawl_demo/runs/x"):
            assert client.get(f"/crawlhouse/{path}").status_code == 401
        client.headers["Authorization"] = f"Bearer {client.post('/auth/token', json=login).json()['access_token']}"
        form = {"action": "drop", "ids": "0" * 16, "reason": "a form of another site"}
        assert client.post("/crawlhouse/decide", data=form).status_code == 403  # without the page's token
        assert client.get("/crawlhouse/decide", params=form).status_code == 405
        token = re.search(r'name="token" value="([0-9a-f]{64})"', client.get("/crawlhouse/quarantine").text)
        elsewhere = {"Sec-Fetch-Site": "cross-site"}
        assert token is not None
        assert client.post("/crawlhouse/decide", data=form | {"token": token[1]}, headers=elsewhere).status_code == 403
        assert client.get("/crawlhouse/metrics").text.startswith("# HELP crawlhouse_urls")
        assert "script-src 'self'" in client.get("/crawlhouse/").headers["content-security-policy"]


@pytest.fixture
def browser() -> Iterator[Any]:
    if not (CHROMIUM and DRIVER):
        pytest.skip("Chromium is not installed: apt-get install chromium chromium-driver, or the UI is not looked at")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    quiet = ("background-networking", "component-update", "sync")
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--window-size=1500,1000"):
        options.add_argument(flag)
    for name in quiet:
        options.add_argument(f"--disable-{name}")
    driver = webdriver.Chrome(service=Service(DRIVER), options=options)
    driver.implicitly_wait(30)
    yield driver
    driver.quit()


@pytest.mark.browser
def test_the_ui_shows_dags_accounts_and_the_broken_crawl(browser: Any, live_stack: Live, demos: Demos) -> None:
    from selenium.webdriver.common.by import By

    running, report = live_stack[1], demos[1].report
    browser.get(running.url)
    browser.find_element(By.NAME, "username").send_keys(running.user)
    browser.find_element(By.NAME, "password").send_keys(running.password)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    browser.find_element(By.XPATH, "//*[contains(text(), 'Import Error')]")
    browser.get(f"{running.url}/dags")
    for dag in ("crawl_demo", "process_demo", "maintain_lake"):
        browser.find_element(By.XPATH, f"//a[normalize-space()='{dag}']")
    browser.find_element(By.XPATH, "//*[normalize-space()='Crawls']")
    browser.get(f"{running.url}/plugin/crawls")
    browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
    text = browser.find_element(By.TAG_NAME, "main").text
    assert "broken file" in text
    browser.find_element(By.ID, "crawl-demo").click()
    browser.find_element(By.CSS_SELECTOR, "td a").click()
    browser.find_element(By.CSS_SELECTOR, "svg.flow")
    text = browser.find_element(By.TAG_NAME, "main").text
    assert f"{report.records:,} records = {report.published:,} published" in text
    assert "were met." in text
    assert len(browser.find_elements(By.CSS_SELECTOR, "svg.flow rect")) > 4
    browser.switch_to.default_content()
    _wait(lambda: f"/plugin/crawls/crawlhouse/runs/{report.crawl_runs[0]}" in browser.current_url)  # it can be sent to somebody
    browser.execute_script("localStorage.setItem('theme', 'dark')")
    browser.refresh()
    browser.switch_to.frame(browser.find_element(By.TAG_NAME, "iframe"))
    browser.find_element(By.CSS_SELECTOR, "html[data-theme=dark]")
    browser.find_element(By.PARTIAL_LINK_TEXT, "Its run in Airflow").click()
    browser.switch_to.default_content()
    browser.find_element(By.XPATH, "//*[normalize-space()='Crawl run']")
    _wait(lambda: "/dags/crawl_demo/runs/" in browser.current_url)
    severe = [entry["message"] for entry in browser.get_log("browser") if "crawlhouse" in entry["message"] and entry["level"] == "SEVERE"]
    assert severe == []
    if folder := os.environ.get("CRAWLHOUSE_SCREENSHOTS"):
        browser.save_screenshot(f"{folder}/crawls.png")
