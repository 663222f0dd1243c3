"""Maintenance: the same rows in fewer files, nothing that is still read is deleted, and publishing goes on meanwhile."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from schemas.config.settings import Settings
from storage.lake.lake import Lake, open_lake
from storage.lake.maintenance import MaintenanceReport, maintain
from storage.lake.query import connect
from storage.objects.open import open_store
from tests.storage.lakerows import NOON, table_of
from tests.warm.killed import code_killed_at

pytestmark = pytest.mark.servers_in_chaos

LATER = timedelta(days=30)
KILLED = """
import sys
from datetime import datetime
from schemas.config.settings import load_settings
from storage.lake.maintenance import maintain
maintain(load_settings(), now=datetime.fromisoformat(sys.argv[1]))
"""


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


@pytest.mark.chaos
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


@pytest.mark.chaos
@pytest.mark.timeout(600)
def test_a_killed_maintenance_is_completed(lake_settings: Settings, tmp_path: Path) -> None:
    """At each step, each kill in what the last one left: readers see the same rows, and in the end the files are those without a kill."""
    undisturbed = Settings(home=tmp_path / "other", crawls=tmp_path)
    for settings in (lake_settings, undisturbed):
        with open_lake(settings) as lake:
            for number in range(5):
                _append(lake, f"p{number}")
            before = _urls(lake)
    now = datetime.now(UTC)
    joining = [
        "joining.before.commit",
        "publish.after.catalog",
        "joining.before.commit",
        "publish.after.catalog",
        "maintain.before.lake_file",
    ]
    expiring = [
        "publish.after.catalog",
        "maintain.orphan.deleted",
        "maintain.orphan.deleted:5",
        "publish.after.catalog",
        "maintain.before.lake_file",
    ]
    for at, points in ((now, joining), (now + LATER, expiring)):
        for point in points:
            assert code_killed_at(point, lake_settings, KILLED, at.isoformat()) == -signal.SIGKILL, point
            with connect(lake_settings) as reader:
                assert sorted(url for (url,) in reader.sql("SELECT url FROM captures").fetchall()) == before, point
        for settings in (lake_settings, undisturbed):
            maintain(settings, now=at)
    maintain(undisturbed, now=now + LATER)
    last = maintain(lake_settings, now=now + LATER)
    assert last == MaintenanceReport(files_before=2, files_after=2), "nothing is left to do"
    assert _kinds_of_files(lake_settings) == _kinds_of_files(undisturbed), "and no more files than without a kill"


def _kinds_of_files(settings: Settings) -> list[str]:
    """The suffix of each file of a table."""
    names = [info.key for info in open_store(settings).list("lake/")]
    return sorted(name.rpartition(".")[2] for name in names if name.endswith((".parquet", ".avro", ".json")))
