"""Maintenance: the same rows in fewer files, nothing that is still read is deleted, and publishing goes on meanwhile."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from storage.lake.lake import Lake, open_lake
from storage.lake.maintenance import MaintenanceReport, maintain
from tests.storage.lakerows import NOON, table_of

pytestmark = pytest.mark.servers_in_chaos

LATER = timedelta(days=30)


@pytest.fixture(params=["sqlite-directory", "postgresql-s3"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty lake, once local and once on servers."""
    if request.param == "sqlite-directory":
        return Settings(home=tmp_path / "home", crawls=tmp_path)
    s3: Settings = request.getfixturevalue("s3_settings")
    return s3.model_copy(update={"database": request.getfixturevalue("postgres_url")})


def _append(lake: Lake, process_run: str) -> None:
    rows = [{"process_run": process_run, "url": f"{host}/{process_run}", "host": host} for host in ("b", "a")]
    lake.append("captures", [table_of("captures", *rows)], process_run)
    lake.append("runs", [table_of("runs", {"process_run": process_run})], process_run)


def _urls(lake: Lake) -> list[str]:
    return sorted(url for batch in lake.scan("captures", ["url"]) for url in batch.column("url").to_pylist())


def test_small_files_become_one_and_old_ones_go(lake_settings: Settings) -> None:
    with open_lake(lake_settings) as lake:
        for number in range(5):
            _append(lake, f"p{number}")
        before, files = _urls(lake), lake.live_files("captures")
        report = maintain(lake_settings)
        assert (report.files_before, report.files_after, report.snapshots_expired, report.orphans_deleted) == (10, 2, 0, 0)
        assert len(lake.live_files("captures")) == 1
        assert _urls(lake) == before
        assert lake.snapshot_of("captures", "p0") is not None, "appending again would still be noticed"

        later = maintain(lake_settings, now=datetime.now(UTC) + LATER)
        assert later.snapshots_expired == 10
        assert later.orphans_deleted > len(files)
        assert _urls(lake) == before
        table = lake.table("captures")
        assert not any(table.io.new_input(file).exists() for file in files)
        assert maintain(lake_settings, now=datetime.now(UTC) + LATER) == MaintenanceReport(files_before=2, files_after=2)
        _append(lake, "p9")
        assert len(_urls(lake)) == 12


def test_an_unpublished_run_stays_invisible_after_a_rewrite(lake_settings: Settings) -> None:
    with open_lake(lake_settings) as lake:
        for number in range(4):
            _append(lake, f"p{number}")
        lake.append("captures", [table_of("captures", {"process_run": "half"})], "half")
        before = _urls(lake)
        maintain(lake_settings)
        assert _urls(lake) == before
        assert lake.table("captures").scan().to_arrow().num_rows == 9


def test_days_are_not_mixed(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        for number in range(8):
            day = {"fetched_at": NOON + timedelta(days=number % 2), "process_run": f"p{number}"}
            lake.append("captures", [table_of("captures", day)], f"p{number}")
        maintain(sqlite_settings)
        assert [file.split("fetched_day=")[1][:10] for file in lake.live_files("captures")] == ["2026-03-01", "2026-03-02"]


def test_publishing_beside_maintenance_loses_nothing(sqlite_settings: Settings) -> None:
    names = [f"p{number}" for number in range(24)]

    def publish() -> None:
        with open_lake(sqlite_settings) as lake:
            for name in names:
                _append(lake, name)

    writer = threading.Thread(target=publish)
    writer.start()
    while writer.is_alive():
        maintain(sqlite_settings)
    writer.join()
    maintain(sqlite_settings)
    with open_lake(sqlite_settings) as lake:
        assert _urls(lake) == sorted(f"{host}/{name}" for name in names for host in "ab")
