"""Writes closed runs in numbers to the table `run_summaries`: those that have no row yet, and those that were published since."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from schemas.errors import StorageError, ThresholdError
from schemas.keys import report_key
from schemas.manifest import Manifest
from schemas.yaml_files.bounds import PINNED
from spiders.closing.thresholds import check_thresholds
from storage.database.engine import Database
from storage.ledger.summaries import MISSING_AT_ONCE, OUTCOMES, RunSummary, Unsummarized, unsummarized, write_summaries
from storage.objects.open import open_store
from storage.objects.store import ObjectStore


def refresh_summaries(database: Database, settings: Settings) -> int:
    """Write the rows that are missing; how many. Doing it again changes nothing. Raises UnavailableError, StorageError."""
    store, count = open_store(settings), 0
    while found := unsummarized(database):
        summaries = [_summary(one, store) for one in found]
        write_summaries(database, summaries)
        count += len(summaries)
        if len(found) < MISSING_AT_ONCE:
            break
    return count


def missed_threshold(crawl: Crawl, manifest: Manifest) -> str | None:
    """The threshold that a closed run missed, as a sentence."""
    try:
        check_thresholds(crawl, manifest)
    except ThresholdError as missed:
        return str(missed)
    return None


def read_report(store: ObjectStore, process_run: str) -> dict[str, Any] | None:  # Any: JSON
    """The report of a process run, as `RunReport.to_json` wrote it: importing that takes a second. None if it is not there, or not yet."""
    key = report_key(process_run, "report.json")
    try:
        report: dict[str, Any] | None = json.loads(store.get_bytes(key)) if store.info(key) is not None else None
    except StorageError:
        return None
    return report


def _summary(run: Unsummarized, store: ObjectStore) -> RunSummary:
    manifest, crawl = run.manifest, Crawl.model_validate_json(run.config, context=PINNED)
    summary = RunSummary(
        crawl_run=run.crawl_run,
        closed_at=manifest.closed_at,
        **manifest.counts.model_dump(),
        bytes=manifest.statistics.bytes,
        finish_reason=manifest.finish_reason,
        missed=missed_threshold(crawl, manifest),
    )
    report = read_report(store, run.process_run) if run.process_run else None
    if report is None:
        return summary
    counts = report.get("by_crawl_run", {}).get(run.crawl_run, report)
    outcomes: dict[str, Any] = {name: counts.get(name, 0) for name in OUTCOMES}  # Any: mypy would take a number for every field
    layout = " ".join(f"{sentence.rstrip('.')}." for sentence in report.get("layouts", ())) or None
    return replace(summary, process_run=run.process_run, published_at=run.published_at, layout=layout, **outcomes)
