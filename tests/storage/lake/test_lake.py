"""The lake: a commit per process run and table, only published rows visible, many writers at once, SQL over it."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyiceberg.expressions import EqualTo

from schemas.config.settings import Settings
from schemas.errors import NotFoundError, StorageError, UnavailableError
from schemas.tables import RUNS
from storage.lake import tables as laketables
from storage.lake.lake import Lake, open_lake
from storage.lake.query import connect
from tests.forks import fork_context
from tests.storage.lakerows import NOON, table_of

BLOCK = {"kind": "paragraph", "text": "A'b", "level": 1, "link_density": 0.5, "start": None, "end": None}


@pytest.fixture(params=["sqlite-directory", "postgresql-s3"])
def lake_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty lake, once local and once on servers."""
    if request.param == "sqlite-directory":
        return Settings(home=tmp_path / "ho'me", crawls=tmp_path)
    s3: Settings = request.getfixturevalue("s3_settings")
    return s3.model_copy(update={"database": request.getfixturevalue("postgres_url")})


def _publish(lake: Lake, process_run: str, *urls: str) -> None:
    rows = [
        {"process_run": process_run, "url": url, "article_id": url, "fetched_at": NOON + timedelta(days=i)} for i, url in enumerate(urls)
    ]
    lake.append("articles", [table_of("articles", *rows)], process_run)
    lake.append("runs", [table_of("runs", {"process_run": process_run})], process_run)


def test_rows_come_back_as_they_went_in(lake_settings: Settings) -> None:
    row = {"process_run": "p1", "authors": ["Ä", "b"], "blocks": [BLOCK], "minhash": bytes(512), "duplicate_similarity": 0.25}
    with open_lake(lake_settings) as lake:
        lake.append("articles", [table_of("articles", row)], "p1")
        lake.append("runs", [table_of("runs", {"process_run": "p1"})], "p1")
        (batch,) = lake.scan("articles", ["blocks", "authors", "minhash", "duplicate_similarity", "title", "fetched_at"])
    (found,) = batch.to_pylist()
    assert found == {
        "blocks": [BLOCK], "authors": ["Ä", "b"], "minhash": bytes(512), "duplicate_similarity": 0.25, "title": None, "fetched_at": NOON,
    }  # fmt: skip


def test_a_damaged_catalog_is_called_damaged(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, crawls=tmp_path)
    (tmp_path / "catalog.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(StorageError, match=r"catalog\.sqlite is damaged: .* Restore it from a backup"):
        open_lake(settings)


def test_appending_again_changes_nothing(lake_settings: Settings) -> None:
    rows = table_of("captures", {"process_run": "p1"})
    with open_lake(lake_settings) as lake:
        first = lake.append("captures", [rows, rows], "p1")
    with open_lake(lake_settings) as lake:
        assert lake.append("captures", [rows], "p1") == first
        assert lake.snapshot_of("captures", "p1") == first
        assert lake.snapshot_of("captures", "p2") is None
        assert lake.committed_runs("captures") == {"p1"}
        assert lake.snapshot_id("captures") == first
        assert lake.table("captures").scan().to_arrow().num_rows == 2


def test_a_run_is_visible_when_it_is_in_runs(lake_settings: Settings) -> None:
    with open_lake(lake_settings) as lake:
        _publish(lake, "p1", "https://a.example/1", "https://a.example/2")
        lake.append("articles", [table_of("articles", {"process_run": "p2"})], "p2")
        urls = [url for batch in lake.scan("articles", ["url"]) for url in batch.column("url").to_pylist()]
        assert sorted(urls) == ["https://a.example/1", "https://a.example/2"]
        assert lake.published_runs() == {"p1"}
        assert [b.num_rows for b in lake.scan("articles", ["version"], EqualTo("url", "https://a.example/2"))] == [1]
    with connect(lake_settings) as connection:
        assert connection.sql("SELECT count(*) FROM articles").fetchall() == [(2,)]
        assert connection.sql("SELECT count(*) FROM quarantine").fetchall() == [(0,)]


def test_files_are_partitioned_by_day_and_sorted(lake_settings: Settings) -> None:
    days = [NOON, NOON + timedelta(days=1)]
    rows = [{"host": host, "url": f"{host}/{i}", "fetched_at": day} for day in days for i in (2, 1) for host in ("b", "a")]
    with open_lake(lake_settings) as lake:
        lake.append("captures", [table_of("captures", *rows)], "p1")
        files = lake.live_files("captures")
        assert [f"fetched_day=2026-03-0{i}" in file for i, file in enumerate(files, 1)] == [True, True]
        table = lake.table("captures")
        for task in table.scan().plan_files():
            stored = table.io.new_input(task.file.file_path)
            with stored.open() as stream:
                assert pq.read_table(stream, columns=["url"]).column(0).to_pylist() == ["a/1", "a/2", "b/1", "b/2"]


def test_the_latest_version_of_each_article(lake_settings: Settings) -> None:
    versions = [("x", 1, 1), ("x", 2, 2), ("y", 1, 1)]
    rows = [{"article_id": a, "version": v, "sequence": s, "process_run": "p1"} for a, v, s in versions]
    with open_lake(lake_settings) as lake:
        lake.append("articles", [table_of("articles", *rows)], "p1")
        lake.append("runs", [table_of("runs", {"process_run": "p1"})], "p1")
    with connect(lake_settings) as connection:
        found = connection.sql("SELECT article_id, version FROM articles_latest ORDER BY 1").fetchall()
    assert found == [("x", 2), ("y", 1)]


def _append_runs(settings: Settings, names: list[str]) -> None:
    os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
    os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
    with open_lake(settings) as lake:
        for name in names:
            lake.append("runs", [table_of("runs", {"process_run": name})], name)


@pytest.mark.servers_in_chaos
def test_writers_at_once_lose_nothing(lake_settings: Settings) -> None:
    names = [[f"p{worker}-{i}" for i in range(4)] for worker in range(3)]
    context = fork_context()
    workers = [context.Process(target=_append_runs, args=(lake_settings, mine)) for mine in names]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
        assert worker.exitcode == 0
    with open_lake(lake_settings) as lake:
        assert lake.published_runs() == {name for mine in names for name in mine}


def test_a_table_that_another_process_has_just_created_is_used(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake:
        first = lake.table("runs")
        again = laketables.create_table(lake._catalog, "runs", RUNS, lake.warehouse, {})
    assert again.metadata.table_uuid == first.metadata.table_uuid


def test_an_unknown_table_is_named(sqlite_settings: Settings) -> None:
    with open_lake(sqlite_settings) as lake, pytest.raises(NotFoundError, match="no table 'article'"):
        lake.table("article")


def test_a_database_that_does_not_answer(sqlite_settings: Settings) -> None:
    nowhere = sqlite_settings.model_copy(update={"database": "postgresql://someone:secret@127.0.0.1:9/x"})
    with pytest.raises(UnavailableError, match="does not answer") as caught:
        open_lake(nowhere)
    assert "secret" not in str(caught.value)
