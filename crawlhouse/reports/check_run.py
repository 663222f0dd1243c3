"""A check of a crawl: the real spider and the real extraction on a few pages, in a temporary home."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from crawlhouse.reports.checked_datasets import CheckedDataset, check_datasets, check_process_run, judged_in_a_run
from crawlhouse.reports.leads_to import leads_to
from processing.clean.cleaning import article_violation
from processing.clean.policy import Violation
from processing.extract.extraction import read_segment
from processing.extract.page_tasks import ReadPage
from processing.extract.segment_rows import SegmentRows
from processing.resolve.records import RecordId
from runtime.scratch import scratch_folder
from schemas.config.crawl import Crawl, Thresholds
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from schemas.outcomes import Rejected
from schemas.runs import ProcessRun
from storage.frontier.records import RunState
from storage.objects.open import open_store
from storage.objects.store import ObjectStore

MAX_MINUTES = 5.0  # somebody waits for the result; a site that is slower than that is shown with what came until then


@dataclass(frozen=True, slots=True)
class CheckedPage:
    """One response and what processing makes of it. `kind` is `page`, `feed`, `sitemap` or `robots`, `size` is in bytes.

    `outcome` is its article or why there is none; None if the crawl makes no articles and the page can be read. `rows` counts the rows of
    each dataset that would be published, `quarantined` those for quarantine; `violation` is why the article would go there. `leads_to` is
    the URL to which a response without an article leads, by a redirect or a refresh.
    """

    url: str
    kind: str
    status: int
    size: int
    outcome: ReadPage | Rejected | None
    violation: Violation | None = None
    leads_to: str | None = None
    rows: Counter[str] = field(default_factory=Counter)
    quarantined: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The accounting of a check's run, its responses in the order of the archive, and what each dataset gets of them.

    `articles_in_a_run` names the user's expectations of articles, which are judged in a real run only.
    """

    manifest: Manifest
    pages: list[CheckedPage]
    makes_articles: bool
    datasets: list[CheckedDataset]
    articles_in_a_run: list[str]


def run_check(
    crawl: Crawl, max_pages: int, progress: Callable[[RunState], None], crawls: Path, log_to: TextIO | None = None
) -> CheckResult:
    """Fetch up to `max_pages` pages by the crawl's own rules, and make their rows. Nothing is kept. Raises what a crawl raises.

    `crawls` is the folder of the crawl's file, and of its spider if it has one. The workers' log goes to `log_to`. Raises ConfigError for
    datasets that cannot work, GateError when expectations cannot be judged.
    """
    from spiders.run import crawl_once

    budgets = crawl.budgets.model_copy(update={"max_pages": max_pages, "max_minutes": min(MAX_MINUTES, crawl.budgets.max_minutes)})
    limited = crawl.model_copy(update={"budgets": budgets, "thresholds": Thresholds(), "workers": 1})
    with scratch_folder() as folder:
        settings = _temporary_settings(folder, crawls)
        manifest = crawl_once(limited, settings, progress, log_to=log_to or io.StringIO())
        store = open_store(settings)
        run = check_process_run(limited, manifest, settings, store)
        pages = _read_pages(run, manifest, settings, store)
        datasets = check_datasets(run, manifest, {record_id: page.url for record_id, page in pages.items()}, store)
        _count_rows(pages, datasets)
        return CheckResult(manifest, list(pages.values()), run.makes_articles, datasets, judged_in_a_run(run))


def _temporary_settings(folder: Path, crawls: Path) -> Settings:
    return Settings(home=folder, crawls=crawls, store=str(folder / "store"), database="", s3_endpoint="")


def _read_pages(run: ProcessRun, manifest: Manifest, settings: Settings, store: ObjectStore) -> dict[RecordId, CheckedPage]:
    """Every response, and the rows of all datasets staged, as extraction does it."""
    folders = [str(folder) for folder in settings.module_folders()]
    pages: dict[RecordId, CheckedPage] = {}
    for segment in manifest.segments:
        with SegmentRows(store, run, segment, folders) as rows:
            for row, result in read_segment(store, segment, run.crawl, {}, rows.wanted):
                rows.take(row, result)
                article = result.article.article if result.article else None
                violation = article_violation(article, row.fetch_time, run.crawl.articles) if article else None
                page = CheckedPage(row.url, row.kind, row.fetch_status, row.content_length or 0, result.outcome, violation)
                page = page if article else replace(page, leads_to=leads_to(row, store))
                pages[row.warc_filename, row.warc_record_offset] = page
            rows.finish()
    return pages


def _count_rows(pages: dict[RecordId, CheckedPage], datasets: list[CheckedDataset]) -> None:
    """Count the rows of every page."""
    by_url = {page.url: page for page in pages.values()}
    for one in datasets:
        for broken in one.quarantined:
            by_url[broken.url].quarantined[one.dataset.name] += 1
        for row in one.rows:
            pages[row["warc_filename"], row["warc_record_offset"]].rows[one.dataset.name] += 1
