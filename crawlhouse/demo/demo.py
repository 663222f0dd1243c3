"""`crawlhouse demo`: crawls the bundled sites through Airflow, shows the progress, and queries the published tables."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

from rich.console import Console

from crawlhouse.airflow import stack
from crawlhouse.airflow.api import AirflowApi
from crawlhouse.demo import demo_site
from crawlhouse.demo.dag_runs import NEWS, SHOP, Update, await_crawl, await_reports, hold_processing, prepare, start_crawl
from crawlhouse.demo.story import story
from crawlhouse.demo.tables import show_tables
from processing.publish.report import RunReport
from schemas.config.crawl import Crawl
from schemas.config.crawl_file import read_crawl
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from storage.ledger.ledger import open_ledger


@dataclass(frozen=True, slots=True)
class DemoResult:
    """The result of a demo run. `manifest` and `report` are of the news sites; the shop was crawled once or twice."""

    stack: stack.Stack
    tick: int
    manifest: Manifest
    report: RunReport
    shop_manifests: tuple[Manifest, ...]
    shop_reports: tuple[RunReport, ...]
    seconds: float


Progress = Callable[[], AbstractContextManager[Update]]  # for as long as something goes on


def run_demo(
    settings: Settings, console: Console, port: int = stack.DEFAULT_PORT, progress: Progress = lambda: nullcontext(lambda _: None)
) -> DemoResult:
    """Start the sites and Airflow, crawl and process through the DAGs, say what happened, and show queries. All keeps running.

    The first time the shop is crawled twice, and its clock advances in between, so that there is a history of prices.
    Raises ConflictError for a taken port and UnavailableError when a run takes too long or fails.
    """
    began = time.monotonic()
    news, shop = (read_crawl(settings.crawls / f"{name}.yaml") for name in (NEWS, SHOP))
    is_first = not _closed_runs(settings, SHOP)
    with progress() as update:
        update("Starting the demo sites")
        tick = demo_site.start_site(settings, news, shop)
        console.print(f"Two news sites run at {' and '.join(seed.url for seed in news.seeds)}, a shop at {shop.seeds[0].url}.")
        airflow = _airflow(settings, port, update)
        console.print(f"Airflow runs at {airflow.url} (user {airflow.user}, password {airflow.password}).")
        with airflow.api() as api:
            news_run, shop_runs = _crawl(api, update, settings, shop if is_first else None)
            (report,) = await_reports(api, settings, NEWS, [news_run], update)
            shop_reports = await_reports(api, settings, SHOP, shop_runs, update)
    shop_manifests = tuple(_manifest(settings, run) for run in shop_runs)
    seconds = time.monotonic() - began
    result = DemoResult(airflow, tick, _manifest(settings, news_run), report, shop_manifests, tuple(shop_reports), seconds)
    _show(console, settings, result)
    return result


def _airflow(settings: Settings, port: int, update: Update) -> stack.Stack:
    running = stack.status(settings)
    if running is not None and running.healthy:
        return running
    return stack.start(settings, port, say=update)


def _crawl(api: AirflowApi, update: Update, settings: Settings, twice: Crawl | None) -> tuple[str, list[str]]:
    """Crawl the news sites and the shop at the same time, the shop `twice` if it is given here.

    Returns the crawl run of the news sites, and those of the shop.
    """
    prepare(api, update)
    if twice is not None:
        hold_processing(api, SHOP)  # one process run for both crawls is quicker than two
    shop = start_crawl(api, SHOP)  # it is short: its processing goes on beside the other crawl
    news = start_crawl(api, NEWS)
    shop_runs = [await_crawl(api, settings, shop, SHOP, update)]
    if twice is not None:
        demo_site.advance_shop(settings, twice)
        prepare(api, update)
        shop_runs.append(await_crawl(api, settings, start_crawl(api, SHOP), SHOP, update))
    return await_crawl(api, settings, news, NEWS, update), shop_runs


def _closed_runs(settings: Settings, crawl: str) -> list[str]:
    ledger = open_ledger(settings)
    try:
        return [run.crawl_run for run in ledger.crawl_runs(crawl, state="closed")]
    finally:
        ledger.close()


def _manifest(settings: Settings, crawl_run: str) -> Manifest:
    ledger = open_ledger(settings)
    try:
        return ledger.manifest(crawl_run)
    finally:
        ledger.close()


def _show(console: Console, settings: Settings, result: DemoResult) -> None:
    console.print()
    for line in story(result.manifest, result.report, result.shop_manifests, result.shop_reports):
        console.print(line)
    show_tables(console, settings)
    airflow = result.stack
    console.print(
        f"\nDone in {result.seconds:.0f} s. Airflow keeps running: {airflow.url}  user {airflow.user}  password {airflow.password}"
    )
    console.print("Next: make demo again to see what changed; docs/first_dataset.md for a dataset of your own; make down to stop.")
