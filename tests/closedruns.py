"""Checks of every closed crawl run, whatever happened while it went on or was being closed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from processing import stages
from processing.publish.accounting import RunCounts, check_run
from schemas.config.settings import Settings
from schemas.manifest import FetchCounts, Manifest
from storage.frontier.manifests import run_outcomes
from storage.index.rows import read_index
from storage.ledger.ledger import open_ledger
from storage.objects.open import open_store

DELETED = FetchCounts()  # the crawl was deleted meanwhile, with the outcomes of its URLs


def check_closed_runs(settings: Settings) -> None:
    """The manifest of every closed run lists the registered segments, and its counts add up."""
    ledger = open_ledger(settings)
    try:
        for run in ledger.crawl_runs(state="closed"):
            manifest = ledger.manifest(run.crawl_run)
            assert list(manifest.segments) == ledger.segments(run.crawl_run)
            counts, _, _ = run_outcomes(ledger.database, run.crawl_run, ())
            assert counts in (manifest.counts, DELETED)
            check_run(manifest, _records(manifest, settings))
    finally:
        ledger.close()


def check_processed(settings: Settings) -> None:
    """Every closed run is processed, and every registered record has an outcome."""
    ledger = open_ledger(settings)
    for crawl in {run.crawl.name for run in ledger.crawl_runs(state="closed")}:
        records = sum(segment.records for run in ledger.closed_unpublished(crawl) for segment in ledger.segments(run))
        report = stages.process_once(crawl, settings)
        assert (report.records if report else 0) == records
        assert not ledger.closed_unpublished(crawl)
    ledger.close()


@pytest.fixture(autouse=True)
def closed_runs_hold(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    """After each test, check the homes on SQLite in its folder, and the PostgreSQL database that it used."""
    given = request.getfixturevalue("settings") if "settings" in request.fixturenames else None
    yield
    homes = [Settings(home=path.parent) for path in sorted(tmp_path.glob("**/frontier.sqlite"))]
    for settings in [*homes, given] if isinstance(given, Settings) and given.database else homes:
        check_closed_runs(settings)


def _records(manifest: Manifest, settings: Settings) -> RunCounts:
    store, counts = open_store(settings), RunCounts()
    for segment in manifest.segments:
        rows = list(read_index(store.get_bytes(segment.index_key)))
        assert len(rows) == segment.records
        counts.records += len(rows)
        counts.outcomes["rejected"] += len(rows)
    return counts
