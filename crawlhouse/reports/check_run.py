"""A check of a crawl: the real spider and the real extraction on a few pages, in a temporary home."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from processing.extract.extraction import ReadPage
from processing.extract.limited_pages import StoredPage, read_limited
from runtime.scratch import scratch_folder
from schemas.config.crawl import Crawl, Thresholds
from schemas.config.settings import Settings
from schemas.manifest import Manifest
from schemas.outcomes import Rejected
from storage.frontier.records import RunState
from storage.index.rows import read_index
from storage.objects.open import open_store
from storage.objects.store import ObjectStore
from storage.warc.reader import read_records

MAX_MINUTES = 5.0  # somebody waits for the result; a site that is slower than that is shown with what came until then


@dataclass(frozen=True, slots=True)
class CheckedPage:
    """One response and what processing makes of it. `kind` is `page`, `feed`, `sitemap` or `robots`, `size` is in bytes."""

    url: str
    kind: str
    status: int
    size: int
    outcome: ReadPage | Rejected


@dataclass(frozen=True, slots=True)
class CheckResult:
    """The accounting of a check's run, and its responses in the order of the archive."""

    manifest: Manifest
    pages: list[CheckedPage]


def run_check(
    crawl: Crawl, max_pages: int, progress: Callable[[RunState], None], crawls: Path, log_to: TextIO | None = None
) -> CheckResult:
    """Fetch up to `max_pages` pages by the crawl's own rules and extract them. Nothing is kept. Raises what a crawl raises.

    `crawls` is the folder of the crawl's file, and of its spider if it has one. The workers' log goes to `log_to`.
    """
    from spiders.run import crawl_once

    budgets = crawl.budgets.model_copy(update={"max_pages": max_pages, "max_minutes": min(MAX_MINUTES, crawl.budgets.max_minutes)})
    limited = crawl.model_copy(update={"budgets": budgets, "thresholds": Thresholds(), "workers": 1})
    with scratch_folder() as folder:
        settings = _temporary_settings(folder, crawls)
        manifest = crawl_once(limited, settings, progress, log_to=log_to or io.StringIO())
        return CheckResult(manifest, list(_pages(manifest, limited, open_store(settings))))


def _temporary_settings(folder: Path, crawls: Path) -> Settings:
    return Settings(home=folder, crawls=crawls, store=str(folder / "store"), database="", s3_endpoint="")


def _pages(manifest: Manifest, crawl: Crawl, store: ObjectStore) -> Iterator[CheckedPage]:
    for page, outcome in read_limited(_stored(manifest, crawl, store)):
        if page.record is not None and outcome is not None:
            capture = page.record.capture
            yield CheckedPage(capture.url, page.kind, capture.status, len(capture.body), outcome)


def _stored(manifest: Manifest, crawl: Crawl, store: ObjectStore) -> Iterator[StoredPage]:
    for segment in manifest.segments:
        kinds = {row.warc_record_offset: row.kind for row in read_index(store.get_bytes(segment.index_key))}
        with store.open(segment.warc_key) as stream:
            for record in read_records(stream, segment.warc_key):
                if not isinstance(record, Rejected):
                    kind = kinds.get(record.pointer.warc_record_offset, "page")
                    yield StoredPage(record, crawl, kind, record.capture.hints)
