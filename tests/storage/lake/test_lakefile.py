"""`lake.duckdb` opens in any DuckDB, has the views of `crawlhouse query`, and follows the lake; earlier states are shown exactly or not."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from schemas.config.settings import Settings
from schemas.errors import NotFoundError
from storage.lake.lake import open_lake
from storage.lake.query import connect
from storage.lake.reader.lake_file import KEY, refresh_lake_file
from storage.lake.reader.state_file import state_file
from storage.lake.reader.tables import read_tables
from storage.lake.takedown import add_takedowns
from storage.objects.open import open_store
from tests.storage.lakerows import table_of

URLS = "SELECT url FROM {}articles_latest ORDER BY url"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "a home [x]*", crawls=tmp_path)


def publish(settings: Settings, run: str, sequence: int) -> None:
    with open_lake(settings) as lake:
        row = {"process_run": run, "url": f"https://{run}.example/", "article_id": run, "sequence": sequence}
        lake.append("articles", [table_of("articles", row)], run)
        lake.append(
            "runs", [table_of("runs", {"process_run": run, "crawl_run": f"{run}-{n}", "sequence": sequence}) for n in range(2)], run
        )


def urls(file: Path, prefix: str = "") -> list[str]:
    with duckdb.connect() as shell:
        shell.execute(f"ATTACH '{file}' AS any_name (READ_ONLY)")
        return [url for (url,) in shell.sql(URLS.format("any_name.")).fetchall()]


def test_the_file_has_the_views_and_follows_the_lake(settings: Settings, tmp_path: Path) -> None:
    publish(settings, "p1", 1)
    assert refresh_lake_file(settings)
    file = Path(settings.store_url()) / KEY
    with duckdb.connect(file, read_only=True) as reader:
        publish(settings, "p2", 2)
        assert refresh_lake_file(settings)
        assert [url for (url,) in reader.sql(URLS.format("")).fetchall()] == ["https://p1.example/"], "who has it open reads on"
    assert urls(file) == ["https://p1.example/", "https://p2.example/"]
    with duckdb.connect(file, read_only=True) as reader, connect(settings) as lake:
        assert reader.sql("SHOW TABLES").fetchall() == lake.sql("SHOW TABLES").fetchall()
        assert reader.sql("SELECT * FROM articles ORDER BY url").fetchall() == lake.sql("SELECT * FROM articles ORDER BY url").fetchall()

    add_takedowns(settings, open_store(settings), ["p1.example"])
    assert refresh_lake_file(settings)
    assert urls(file) == ["https://p2.example/"]

    moved = tmp_path / "moved"
    shutil.move(Path(settings.store_url()) / "lake", moved)
    with duckdb.connect(moved / "lake.duckdb", read_only=True) as reader:
        reader.execute(f"SET VARIABLE lake = '{moved}'")
        assert reader.sql("SELECT url FROM articles").fetchall() == [("https://p2.example/",)]


def test_a_run_of_several_crawl_runs_does_not_double_its_rows(settings: Settings) -> None:
    publish(settings, "p1", 7)
    with connect(settings) as lake:
        assert lake.sql("SELECT url, sequence FROM articles").fetchall() == [("https://p1.example/", 7)]


def test_the_state_is_kept_until_the_lake_changes(settings: Settings) -> None:
    publish(settings, "p1", 1)
    first = read_tables(settings)
    kept = state_file(settings)
    before = kept.stat().st_mtime_ns
    assert read_tables(settings) == first
    assert kept.stat().st_mtime_ns == before
    publish(settings, "p2", 2)
    assert len(read_tables(settings)["articles"].files) == 2
    kept.write_text("{", encoding="utf-8")
    assert len(read_tables(settings)["articles"].files) == 2


def test_an_earlier_state_is_shown_exactly_or_not_at_all(settings: Settings) -> None:
    publish(settings, "p1", 1)
    between = datetime.now(UTC)
    publish(settings, "p2", 2)
    publish(settings, "p3", 3)
    for as_of in ("p1", between):
        with connect(settings, as_of) as lake:
            assert lake.sql(URLS.format("")).fetchall() == [("https://p1.example/",)]
            assert lake.sql("SELECT count(*) FROM runs").fetchall() == [(2,)]
    for as_of in ("p9", between - timedelta(days=9)):
        with pytest.raises(NotFoundError, match="any more"):
            connect(settings, as_of)
    with open_lake(settings) as lake:
        table = lake.table("articles")
        for tag in set(table.refs()) - {"main"}:
            table.manage_snapshots().remove_tag(tag).commit()
        (first, second, _) = [snapshot.snapshot_id for snapshot in table.metadata.snapshots]
        table.maintenance.expire_snapshots().by_id(first).commit()
        table.maintenance.expire_snapshots().by_id(second).commit()
    with pytest.raises(NotFoundError, match="'articles' has no snapshot of it"):
        connect(settings, "p2")
    with connect(settings, "p3") as lake:
        assert lake.sql("SELECT count(*) FROM articles").fetchall() == [(3,)]


def test_the_oldest_copy_of_an_original_that_is_gone_is_the_original(settings: Settings) -> None:
    publish(settings, "p1", 1)
    copies = [("p2", "b", "p1"), ("p3", "d", "gone"), ("p4", "c", "gone"), ("p5", "e", "gone")]
    with open_lake(settings) as lake:
        for number, (run, article, original) in enumerate(copies, 2):
            kinds = {"duplicate_kind": "near", "duplicate_similarity": 0.9, "url": f"https://{article}.example/"}
            row = {"process_run": run, "article_id": article, "duplicate_of": original, "sequence": number, **kinds}
            lake.append("articles", [table_of("articles", row)], run)
            lake.append("runs", [table_of("runs", {"process_run": run, "sequence": number, "kind": "process"})], run)
    query = "SELECT article_id, duplicate_of, duplicate_kind FROM articles_latest ORDER BY sequence"
    unchanged = [("p1", None, None), *((article, original, "near") for _, article, original in copies)]
    with connect(settings) as lake:
        assert lake.sql(query).fetchall() == unchanged
    with open_lake(settings) as lake:
        lake.append("runs", [table_of("runs", {"process_run": "p9", "sequence": 9, "kind": "rollback"})], "p9")
    shown = [("p1", None, None), ("b", "p1", "near"), ("d", None, None), ("c", "d", "near"), ("e", "d", "near")]
    with connect(settings) as lake:
        assert lake.sql(query).fetchall() == shown
    assert refresh_lake_file(settings)
    with duckdb.connect(Path(settings.store_url()) / KEY, read_only=True) as reader:
        assert reader.sql(query).fetchall() == shown
