"""Whether the accounts of a lake add up: over all records, each dataset's rows, and every row of `runs`."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

from schemas.config.settings import Settings
from schemas.tables import TABLES
from storage.lake.lake import Lake, open_lake
from storage.ledger.ledger import open_ledger

RANK = ["published", "duplicate", "known", "quarantined", "rejected"]


def check_accounts(settings: Settings) -> None:
    """Assert the equations over the latest process run of each capture, and over each process run."""
    with open_lake(settings) as lake:
        captures = _rows(lake, "captures", "warc_filename", "warc_record_offset", "crawl_run", "process_run", "outcome", "outcomes")
        _check_records(captures, settings)
        datasets = [name for name in lake.tables() if name not in TABLES or name == "articles"]
        tables = {name: Counter(_record(row) for row in _rows(lake, name, "warc_filename", "warc_record_offset")) for name in datasets}
        quarantined: dict[str, Counter[Any]] = defaultdict(Counter)
        for row in _rows(lake, "quarantine", "warc_filename", "warc_record_offset", "dataset"):
            quarantined[row["dataset"] or "articles"][_record(row)] += 1
        for capture in captures:
            _check_capture(capture, tables, quarantined)
        for name in datasets:
            known = {_record(capture) for capture in captures}
            assert not set(tables[name]) - known, f"rows of {name} without a capture"
            assert not set(quarantined[name]) - known
        _check_runs(_rows(lake, "runs", "process_run", "crawl_run", "sequence", "kind", "replaces", "records", *RANK, "datasets"), captures)


def _check_records(captures: list[dict[str, Any]], settings: Settings) -> None:
    """Every registered record has one row of `captures`."""
    by_run = Counter(row["crawl_run"] for row in captures)
    assert len({_record(row) for row in captures}) == len(captures)
    ledger = open_ledger(settings)
    for crawl_run, count in by_run.items():
        assert sum(segment.records for segment in ledger.manifest(crawl_run).segments) == count
    ledger.close()


def _check_capture(capture: dict[str, Any], tables: dict[str, Counter[Any]], quarantined: dict[str, Counter[Any]]) -> None:
    """The rows of one record: made = published + unchanged + quarantined, and its outcome says so."""
    assert capture["outcome"] == min((one["outcome"] for one in capture["outcomes"]), key=RANK.index)
    for one in capture["outcomes"]:
        published, broken = tables[one["dataset"]][_record(capture)], quarantined[one["dataset"]][_record(capture)]
        unchanged = one["rows"] - published - broken
        assert unchanged >= 0, (capture, one, published, broken)
        expected = {
            "published": published,
            "duplicate": published,
            "known": unchanged and not published,
            "quarantined": broken and not published and not unchanged,
            "rejected": one["rows"] == 0,
        }
        assert expected[one["outcome"]] or (one["outcome"] == "known" and one["rows"] == 0), (capture, one, published, broken)


def _check_runs(runs: list[dict[str, Any]], captures: list[dict[str, Any]]) -> None:
    latest = Counter(row["process_run"] for row in captures)
    records: Counter[str] = Counter()
    for row in runs:
        records[row["process_run"]] += row["records"]
        assert row["records"] == sum(row[name] for name in RANK)
        assert (row["kind"] in {None, "process"}) == (row["replaces"] is None)
        for one in row["datasets"] or ():
            assert one["made"] == one["published"] + one["unchanged"] + one["quarantined"]
    assert all(count <= records[process_run] for process_run, count in latest.items())
    newest = {row["crawl_run"]: row["kind"] for row in sorted(runs, key=lambda row: row["sequence"])}
    there = [row for row in runs if row["kind"] == "process" and newest[row["crawl_run"]] != "rollback"]
    assert sum(row["records"] for row in there) == len(captures)


def _rows(lake: Lake, name: str, *columns: str) -> list[dict[str, Any]]:
    return [row for batch in lake.scan(name, list(columns)) for row in batch.to_pylist()]


def _record(row: dict[str, Any]) -> tuple[str, int]:
    return row["warc_filename"], row["warc_record_offset"]
