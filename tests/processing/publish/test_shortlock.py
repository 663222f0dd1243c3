"""The publish lock is held for the commit alone: what is written before it, and what is decided again where others published meanwhile."""

from __future__ import annotations

import logging
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from processing import stages
from processing.publish import run_files, touched
from schemas.config.crawl import Crawl
from schemas.config.settings import Settings
from storage.lake.lake import open_lake
from storage.lake.maintenance import maintain
from storage.lake.query import connect
from storage.objects.open import open_store
from tests.processing.crawlruns import article, closed_run
from tests.processing.publish.test_publish import COLUMNS, NEWS, PAGES, SITE, WIRE, gated_run, killed, stored, tables

DESK = Crawl.model_validate({"name": "desk", "seeds": [SITE + "/desk/"]})
TIMES = Crawl.model_validate({"name": "times", "seeds": ["https://times.example.net/"]})
LATER = timedelta(days=30)


def data_files(settings: Settings) -> set[Path]:
    return set((settings.home / "store" / "lake").rglob("*.parquet"))


def judged(settings: Settings, process_run: str) -> set[str]:
    return {info.key for info in open_store(settings).list(f"staging/{process_run}/judged/")}


@pytest.mark.parametrize("portion", [touched.PART_RECORDS, pytest.param(1, marks=pytest.mark.chaos)])
def test_only_what_new_rows_touch_is_decided_again(
    sqlite_settings: Settings, portion: int, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crawl of other pages is not; one of the same host is, without being judged or written again; one with a copy is, and is.

    Whether the keys of a run are in memory at once or in portions.
    """
    monkeypatch.setattr(touched, "PART_RECORDS", portion)
    caplog.set_level(logging.INFO, "processing.publish.publish")
    closed_run(sqlite_settings, NEWS, "1", PAGES)
    closed_run(sqlite_settings, TIMES, "2", [article("https://times.example.net/own", 8)])
    closed_run(sqlite_settings, DESK, "3", [article(SITE + "/desk/1", 7)])
    closed_run(sqlite_settings, WIRE, "4", [article("https://wire.example.org/copy", 1), article("https://wire.example.org/own", 9)])
    runs = {crawl.name: gated_run(sqlite_settings, crawl) for crawl in (NEWS, TIMES, DESK, WIRE)}
    asked, written = {name: judged(sqlite_settings, run) for name, run in runs.items()}, data_files(sqlite_settings)
    read: set[str] = set()  # process runs whose staged rows are read again
    parts = run_files._parts
    monkeypatch.setattr(run_files, "_parts", lambda store, key, name: read.add(key.split("/")[1]) or parts(store, key, name))
    reports = {name: stages.publish(run, sqlite_settings) for name, run in runs.items()}
    assert read == {runs["desk"], runs["wire"]}

    again = [record.getMessage().split()[0] for record in caplog.records if "decided on again" in record.getMessage()]
    assert again == [runs["desk"], runs["wire"]]
    assert (reports["desk"].published, reports["wire"].duplicate) == (1, 1)
    assert {name: judged(sqlite_settings, run) == asked[name] for name, run in runs.items()} == {
        "news": True, "times": True, "desk": True, "wire": False,
    }  # fmt: skip
    new = sorted(path.parts[path.parts.index("lake") + 1] for path in data_files(sqlite_settings) - written)
    assert new == ["articles", "captures", "runs", "runs", "runs", "runs"], "of wire alone, whose article is a duplicate now"
    expected = {name: report.sequence for name, report in reports.items()}
    with connect(sqlite_settings) as connection:
        assert dict(connection.sql("SELECT DISTINCT crawl, sequence FROM captures").fetchall()) == expected
        assert connection.sql("SELECT count(*) FROM articles WHERE ingested_at IS NULL").fetchall() == [(0,)]
    with open_lake(sqlite_settings) as lake:
        assert {
            row["crawl"]: row["sequence"] for batch in lake.scan("articles", ["crawl", "sequence"]) for row in batch.to_pylist()
        } == expected
        assert lake.table("articles").scan(selected_fields=("sequence",)).to_arrow()["sequence"].null_count == 6


def test_files_of_a_run_that_waits_stay(sqlite_settings: Settings) -> None:
    """However long it waits, maintenance leaves its data files; files of a run whose staging is gone are orphans."""
    closed_run(sqlite_settings, NEWS, "1", PAGES)
    process_run = gated_run(sqlite_settings, NEWS)
    written = data_files(sqlite_settings)
    assert len(written) == 3
    assert maintain(sqlite_settings, now=datetime.now(UTC) + LATER).orphans_deleted == 0
    assert data_files(sqlite_settings) == written
    assert {name: len(rows) for name, rows in stored(sqlite_settings).items()} == dict.fromkeys(COLUMNS, 0)
    store = open_store(sqlite_settings)
    waiting = [info.key for info in store.list(f"staging/{process_run}/files/")]
    for key in waiting:
        store.delete(key)
    assert maintain(sqlite_settings, now=datetime.now(UTC) + LATER).orphans_deleted == 3
    report = stages.publish(process_run, sqlite_settings)  # they are written again
    assert report.published == 2
    assert [len(rows) for rows in tables(sqlite_settings).values()] == [3, 2, 1, 0, 1]


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_killed_between_the_data_files_and_the_commit(lake_settings: Settings) -> None:
    """Files of a killed process are never rows; in the end maintenance has removed them, and every row is there once."""
    closed_run(lake_settings, NEWS, "1", PAGES)
    run = stages.plan("news", lake_settings)
    assert run is not None
    stages.extract(run.process_run, "1-0", lake_settings)
    stages.resolve(run.process_run, lake_settings)
    for table in ("captures", "quarantine", "articles"):
        step = f"publish.written.{table}"
        assert killed("gate", run.process_run, lake_settings, step) == -signal.SIGKILL
        assert sum(len(rows) for rows in stored(lake_settings).values()) == 0
    stages.gate(run.process_run, lake_settings)
    stages.publish(run.process_run, lake_settings)
    seen = tables(lake_settings)
    assert [len(rows) for rows in seen.values()] == [3, 2, 1, 0, 1]
    report = maintain(lake_settings, now=datetime.now(UTC) + LATER)
    assert report.orphans_deleted >= 3
    assert tables(lake_settings) == seen
    assert maintain(lake_settings, now=datetime.now(UTC) + LATER).orphans_deleted == 0
